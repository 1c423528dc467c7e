import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

extension InterruptedJobTests {
    /// What comes back of archives with an oplog, and when it is left out.
    @Suite struct OplogReplayTests {
        /// Whatever the replay is stopped by, and wherever, live data is as it was.
        @Test(arguments: [1, 2, 4])
        func aReplayThatIsInterruptedLeavesLiveDataAlone(_ place: Int) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await OplogBackup.backupWithChanges(fixture)
            try await fixture.drop()
            try await fixture.insert([document(77)], "a_left")
            try await fixture.create("view", CollectionOptions.view(on: "a_left", match: 5))
            let before = try await fixture.state()
            let counter = Counter()
            let error = await Canceller().run { progress in
                guard progress.phase == .replaying else { return false }
                return counter.next() == place
            } _: { observer in
                try await fixture.restore(observer: observer)
            }
            #expect(error is CancellationError, "\(String(describing: error))")
            #expect(try await fixture.state() == before)
            try await fixture.restore()
            #expect(try await fixture.documents("a_left").count == RandomWriter.accountCount)
            try await server.stop()
        }

        /// All but renames: it builds the indexes of collections by the names that they had before.
        @Test(.needsMongorestore, arguments: Mongorestore.all)
        func mongorestoreReplaysIt(_ mongorestore: Mongorestore) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            let wanted = try await OplogBackup.backupWithChanges(fixture, withRenames: false)
            let key = try #require(
                try fixture.folder.contents.first { $0.hasSuffix(".archive.gz") })
            for throughPipe in [false, true] {
                try await fixture.drop()
                try await mongorestore.restore(
                    "\(fixture.folder.path)/\(key)", to: server, throughPipe: throughPipe,
                    replaysOplog: true)
                #expect(try await fixture.differences(from: wanted) == [])
            }
            try await server.stop()
        }

        /// What is made of such an archive is one, unless something of it is gone.
        @Test func aConvertedOneIsReplayedAndASalvagedOneIsNot() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            let wanted = try await OplogBackup.backupWithChanges(fixture)
            let key = try #require(
                try fixture.folder.contents.first { $0.hasSuffix(".archive.gz") })
            let path = "\(fixture.folder.path)/\(key)"
            let plain = fixture.folder.path + "/plain.archive"
            let (status, output) = try await Shell.run("zcat '\(path)' > '\(plain)'")
            try #require(status == 0, "\(output)")
            let indexed = fixture.folder.path + "/indexed.archive.gz"
            let report = try await Conversion(
                .file(plain), to: .file(indexed),
                options: Conversion.Options(width: 2, temporaryFolder: fixture.folder.path),
                environment: fixture.environment, observer: RecordingObserver()
            ).run()
            #expect(report.manifest.consistency.name == "oplog")
            for archive in [plain, indexed] {
                try await fixture.drop()
                try await fixture.restore(.file(archive))
                #expect(try await fixture.differences(from: wanted) == [])
            }
            var bytes = try fixture.folder.bytes(path)
            bytes[bytes.count / 2] ^= 1
            let damaged = try fixture.folder.file("damaged", bytes)
            let saved = fixture.folder.path + "/saved.archive.gz"
            let salvage = try await Salvage(
                .file(damaged), to: .file(saved),
                options: Salvage.Options(width: 2, temporaryFolder: fixture.folder.path),
                environment: fixture.environment, observer: RecordingObserver()
            ).run()
            #expect(salvage.manifest.consistency == .none)
            #expect(salvage.manifest.namespaces.allSatisfy { !$0.descriptor.isOplog })
            let restored = try await fixture.restore(.file(saved))
            #expect(restored.replayedCount == nil)
            try await server.stop()
        }

        /// The first entry of one that is prepared comes before the backup, and it is committed
        /// while that runs. One that is large has several entries, with others in between or not.
        @Test func transactionsOfSeveralEntriesAreWhole() async throws {
            var options = PrivateServer.Options()
            options.arguments = ["--setParameter", "enableTestCommands=1"]
            let server = try await PrivateServer(options)
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            // Read behind the gate: a read waits for what is prepared.
            try await fixture.pool.withConnection { connection in
                try await connection.withTransaction { transaction in
                    _ = try await transaction.run(
                        Self.insertion(of: [document(5000)], into: "y_docs"), on: "d")
                    let reply = try await transaction.run(
                        BSONDocument { $0.append("prepareTransaction", Int32(1)) }, on: "admin")
                    let time = try reply.require("prepareTimestamp", \.timestamp)
                    let report = try await OplogBackup.gate().run { observer in
                        try await OplogBackup.backup(fixture, observer)
                    } meanwhile: {
                        _ = try await transaction.run(
                            BSONDocument {
                                $0.append("commitTransaction", Int32(1))
                                $0.append("commitTimestamp", time)
                            }, on: "admin")
                        try await Self.writeMuch(fixture)
                    }
                    guard case .oplog(let start, _) = report.manifest.consistency else {
                        Issue.record("\(report.manifest.consistency)")
                        return
                    }
                    #expect(start <= time)
                }
            }
            let wanted = try await fixture.comparableState()
            #expect(wanted["y_docs"]?.documents.count == 101)
            try await fixture.drop()
            try await fixture.restore()
            #expect(try await fixture.differences(from: wanted) == [])
            try await server.stop()
        }

        /// More in one transaction than an entry takes.
        private static func writeMuch(_ fixture: SnapshotFixture) async throws {
            let fill = [UInt8](repeating: 3, count: 5_000_000)
            try await fixture.create("much")
            try await fixture.pool.withConnection { connection in
                try await connection.withTransaction { transaction in
                    for number in 0..<5 as Range<Int32> {
                        let large = document(number) {
                            $0.append("fill", binary: fill, subtype: 0)
                        }
                        _ = try await transaction.run(
                            insertion(of: [large], into: "much"), on: "d")
                    }
                }
            }
        }

        private static func insertion(
            of documents: [BSONDocument], into collection: String
        ) -> BSONDocument {
            BSONDocument {
                $0.append("insert", collection)
                $0.append("documents", array: documents)
            }
        }

        /// Entries are about a whole server under its own names.
        @Test func aSelectionOrAMergeLeavesTheOplogOutAndSaysSo() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            let wanted = try await OplogBackup.backupWithChanges(fixture)
            func notices(
                _ restore: (RecordingObserver) async throws -> RestoreReport
            ) async throws -> [String] {
                let observer = RecordingObserver()
                #expect(try await restore(observer).replayedCount == nil)
                return observer.notices.filter { $0.contains("left out the oplog") }
            }
            let told = [
                try await notices { observer in
                    try await fixture.restore(included: ["d.a_left"], observer: observer)
                },
                try await notices { observer in
                    try await fixture.restore(renames: ["d.*=e.*"], observer: observer)
                },
                try await notices { observer in
                    try await fixture.restore(nil, .merge, observer: observer)
                },
                try await notices { observer in
                    try await fixture.restore(observer: observer) { $0.replaysOplog = false }
                },
            ]
            #expect(told.allSatisfy { $0.count == 1 }, "\(told)")
            // The canary: without the oplog, what comes back differs.
            #expect(try await fixture.differences(from: wanted) != [])
            try await server.stop()
        }
    }
}
