import ArchiveFormat
import BSONBytes
import ExtendedJSON
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Testing

@testable import Snapshots

extension InterruptedJobTests {
    /// Which kinds of entries come back, and what becomes of those that can't.
    @Suite struct OplogKindsTests {
        private static func parsed(_ json: String) throws -> BSONDocument {
            try ExtendedJSONParser.document(utf8: Array(json.utf8))
        }

        /// An archive as mongodump writes it: two documents, and entries.
        private static func archive(_ entries: [String]) throws -> [UInt8] {
            let entries = try entries.enumerated().map { number, json in
                try BSONDocument { builder in
                    let time = BSONTimestamp(seconds: 1_796_083_120, increment: UInt32(number))
                    builder.append("ts", time)
                    for element in try parsed(json).elements() { builder.append(element) }
                }
            }
            let oplog = NamespaceDescriptor.oplog.namespace.description
            return try MadeArchive.mongodump(
                ["d.c", oplog], [("d.c", [document(1), document(2)]), (oplog, entries)])
        }

        private static let good = #"{"op":"i","ns":"d.c","v":2,"o":{"_id":3}}"#

        private static let bad = [
            #"{"op":"xi","ns":"d.c","v":2,"o":{"_id":4}}"#,
            #"{"op":"zz","ns":"d.c","v":2,"o":{"_id":4}}"#,
            #"{"op":"c","ns":"d.$cmd","v":2,"o":{"truncateRange":"c"}}"#,
            #"{"op":"c","ns":"d.$cmd","v":2,"o":{"neverHeardOf":"c"}}"#,
            #"{"op":"i","ns":"d.c","v":2,"effect":1,"o":{"_id":4}}"#,
            #"{"op":"u","ns":"d.c","v":2,"o2":{"_id":1},"o":{"$v":7,"diff":{"u":{"a":1}}}}"#,
            #"{"op":"u","ns":"d.c","v":2,"o2":{"_id":1},"o":{"$v":2,"#
                + #""diff":{"sa":{"a":true,"l":1,"u1":0}}}}"#,
            #"{"op":"u","ns":"d.c","v":2,"o2":{"_id":1},"o":{"$v":2,"#
                + #""diff":{"b":{"x":{"o":0,"d":{"$binary":{"base64":"AA==","subType":"00"}}}}}}}"#,
            #"{"op":"c","ns":"admin.$cmd","v":2,"o":{"applyOps":["#
                + #"{"op":"c","ns":"d.$cmd","o":{"importCollection":"c"}}]}}"#,
            #"{"op":"c","ns":"d.$cmd","v":2,"o":{"renameCollection":"d.system.profile","#
                + #""to":"d.c"}}"#,
        ]

        /// Live data is as it was; and where the archive has an index, nothing was even loaded, and
        /// verification and preview say so before.
        @Test(arguments: bad)
        func whatIsNotUnderstoodIsRefusedBeforeAnythingIsLive(_ entry: String) async throws {
            let server = try await PrivateServer.shared()
            let fixture = try await SnapshotFixture(server)
            try await fixture.drop("d")
            try await fixture.insert([document(77)], into: "c", in: "d")
            let file = try fixture.folder.file(
                "dump.archive", Self.archive([Self.good, entry, Self.good]))
            let indexed = fixture.folder.path + "/indexed.archive.gz"
            _ = try await Conversion(
                .file(file), to: .file(indexed),
                options: Conversion.Options(width: 2, temporaryFolder: fixture.folder.path),
                environment: fixture.environment, observer: RecordingObserver()
            ).run()
            for path in [file, indexed] {
                let observer = RecordingObserver()
                let error = await #expect(throws: SnapshotError.self) {
                    try await fixture.restore(.file(path), observer: observer)
                }
                #expect(error?.code == .unsupported, "\(error as Any)")
                let message = error?.message ?? ""
                #expect(message.contains("1796083120:1") && message.contains("--no-oplog"))
                #expect(try await fixture.documents("c", in: "d") == [document(77)])
                #expect(try await fixture.names(in: "d") == ["c"])
                #expect(observer.seenPhases.contains(.loading) == (path == file))
                try await Self.checkForetold(path, entry, fixture, server)
            }
            // The way out that the message names.
            try await fixture.restore(.file(indexed)) { $0.replaysOplog = false }
            #expect(try await fixture.documents("c", in: "d") == [document(1), document(2)])
            try await fixture.drop("d")
        }

        private static func checkForetold(
            _ path: String, _ entry: String, _ fixture: SnapshotFixture, _ server: PrivateServer
        ) async throws {
            let isKnownWithoutServer = !entry.contains(#""b":{"x""#)
            let verified = RecordingObserver()
            _ = try await SnapshotVerification(
                .file(path), width: 2, environment: fixture.environment, observer: verified
            ).run()
            #expect(
                verified.notices.contains { $0.contains("1796083120:1") } == isKnownWithoutServer)
            guard path.hasSuffix("indexed.archive.gz") else { return }
            let foretold = try await LiveComparison(
                .file(path), with: fixture.pool, for: .preview,
                restore: Restore.Options(mode: .replace, width: 2),
                options: Comparison.Options(width: 2), observer: RecordingObserver()
            ).run()
            let refusal = foretold.refusals.first { $0.refusal.message.contains("1796083120:1") }
            #expect(refusal?.ways == [.replace, .keepOld])
        }

        /// Inserts that convertToCapped makes are marked as if they came from another shard.
        @Test func entriesOfAMigrationAreRealWrites() async throws {
            let fixture = try await SnapshotFixture.shared()
            try await fixture.drop("d")
            let file = try fixture.folder.file(
                "dump.archive",
                Self.archive([
                    #"{"op":"i","ns":"d.c","v":2,"fromMigrate":true,"o":{"_id":3}}"#,
                    #"{"op":"ci","ns":"d.c","o":{"k":1},"container":"x"}"#,
                    #"{"op":"d","ns":"d.c","v":2,"fromMigrate":true,"o":{"_id":1}}"#,
                    #"{"op":"n","ns":"","o":{"msg":"noop"}}"#,
                    #"{"op":"c","ns":"d.$cmd","v":2,"o":{"dbCheck":"d.c"}}"#,
                ]))
            try await fixture.restore(.file(file))
            #expect(try await fixture.documents("c", in: "d") == [document(2), document(3)])
            try await fixture.drop("d")
        }

        /// One change of each kind that a server of this version logs, while a backup is under way.
        @Test func everyKindOfChangeComesBack() async throws {
            var options = PrivateServer.Options()
            options.arguments = ["--setParameter", "enableTestCommands=1"]
            let server = try await PrivateServer(options)
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            for name in ["to_cap", "to_clone", "to_empty", "to_index", "to_out", "arrays"] {
                try await fixture.insert(
                    (0..<20).map { id in
                        document(id) {
                            $0.append("n", id % 10)
                            let values = (0..<6 as Range<Int32>).map { value in
                                BSONDocument { $0.append("v", value) }
                            }
                            $0.append("list", array: values)
                        }
                    }, name)
            }
            try await OplogBackup.gate().run { observer in
                _ = try await OplogBackup.backup(fixture, observer)
            } meanwhile: {
                for command in Self.commands {
                    try await fixture.run(Self.parsed(command.json), command.database)
                }
                await #expect(throws: MongoError.self) {
                    try await fixture.createIndex("n", on: "n", of: "to_index", unique: true)
                }
                try await Self.transaction(fixture)
            }
            let wanted = try await fixture.comparableState()
            #expect(try #require(wanted["out"]).documents.count == 20)
            try await fixture.drop()
            let observer = RecordingObserver()
            try await fixture.restore(observer: observer)
            #expect(try await fixture.differences(from: wanted) == [])
            #expect(observer.notices == [])
            try await server.stop()
        }

        private static let commands: [(json: String, database: String)] = [
            (#"{"convertToCapped":"to_cap","size":100000}"#, "d"),
            (#"{"cloneCollectionAsCapped":"to_clone","toCollection":"cloned","size":100000}"#, "d"),
            (#"{"emptycapped":"to_cap"}"#, "d"),
            (#"{"aggregate":"to_out","pipeline":[{"$out":"out"}],"cursor":{}}"#, "d"),
            (#"{"aggregate":"to_out","pipeline":[{"$merge":"merged"}],"cursor":{}}"#, "d"),
            (#"{"aggregate":"arrays","pipeline":[{"$out":"out"}],"cursor":{}}"#, "d"),
            (#"{"createIndexes":"arrays","indexes":[{"key":{"n":1},"name":"n"}]}"#, "d"),
            (#"{"collMod":"arrays","index":{"name":"n","hidden":true}}"#, "d"),
            (#"{"dbCheck":"arrays"}"#, "d"),
            (#"{"appendOplogNote":1,"data":{"op":"nothing"}}"#, "admin"),
            (
                #"{"update":"arrays","updates":[{"q":{},"multi":true,"#
                    + #""u":[{"$set":{"list":{"$slice":["$list",4]}}}]}]}"#, "d"
            ),
            (
                #"{"update":"arrays","updates":[{"q":{"_id":1},"#
                    + #""u":{"$set":{"list.2.v":9,"list.7":1}}},{"q":{"_id":2},"u":{"$pull":"#
                    + #"{"list":{"v":1}}}},{"q":{"_id":3},"u":{"$rename":{"n":"m"}}}]}"#, "d"
            ),
            (
                #"{"findAndModify":"arrays","query":{"_id":4},"update":{"_id":4,"whole":1}}"#,
                "d"
            ),
            (#"{"delete":"arrays","deletes":[{"q":{"_id":{"$gt":15}},"limit":0}]}"#, "d"),
            (
                #"{"applyOps":[{"op":"i","ns":"d.arrays","o":{"_id":50}},"#
                    + #"{"op":"d","ns":"d.arrays","o":{"_id":5}},{"op":"u","ns":"d.arrays","#
                    + #""o2":{"_id":6},"o":{"_id":6,"by":"user"}}]}"#, "admin"
            ),
            (#"{"collMod":"series","timeseries":{"granularity":"hours"}}"#, "d"),
            (#"{"dropIndexes":"arrays","index":"*"}"#, "d"),
        ]

        private static func transaction(_ fixture: SnapshotFixture) async throws {
            try await fixture.pool.withConnection { connection in
                try await connection.withTransaction { transaction in
                    for json in [
                        #"{"create":"in_transaction"}"#,
                        #"{"insert":"in_transaction","documents":[{"_id":1}]}"#,
                        #"{"delete":"arrays","deletes":[{"q":{"_id":7},"limit":1}]}"#,
                    ] { _ = try await transaction.run(parsed(json), on: "d") }
                }
            }
        }

        /// What a replay would do twice is found while it can still be said.
        @Test func aBackupThatNobodyCouldRestoreFails() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            let error = await #expect(throws: SnapshotError.self) {
                try await OplogBackup.gate().run { observer in
                    _ = try await OplogBackup.backup(fixture, observer)
                } meanwhile: {
                    let operations = #"""
                        {"applyOps":[{"op":"u","ns":"d.a_left","o2":{"_id":1},"o":{"$inc":{"n":1}}},
                                     {"op":"i","ns":"d.a_left","o":{"_id":5000}}]}
                        """#
                    try await fixture.run(Self.parsed(operations), "admin")
                }
            }
            #expect(error?.code == .unsupported, "\(error as Any)")
            #expect(error?.message.contains("\"$inc\"") == true, "\(error as Any)")
            #expect(try fixture.folder.contents.filter { !$0.hasPrefix(".") } == [])
            try await server.stop()
        }
    }
}

extension SnapshotFixture {
    /// Runs a command as it is, without a write concern.
    fileprivate func run(_ command: BSONDocument, _ database: String) async throws {
        _ = try await pool.withConnection { try await $0.run(command, on: database) }
    }

    fileprivate func insert(
        _ documents: [BSONDocument], into collection: String, in database: String
    ) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.insert(
                documents.flatMap(\.bytes)[...], into: collection, on: database,
                options: InsertOptions())
        }
    }
}
