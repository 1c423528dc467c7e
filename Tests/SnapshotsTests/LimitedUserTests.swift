import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// What users get who may read one database only.
@Suite(.needsServer, .serialized) struct LimitedUserTests {
    @Test func aBackupOfEverythingIsRefusedRatherThanIncomplete() async throws {
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        options.arguments = ["--auth"]
        let server = try await PrivateServer(options)
        try await Self.createUser("owner", "root", on: "admin", server.uri)
        let owner = try Self.uri("owner", server.port)
        try await Self.createUser("reader", "read", on: "shop", owner)
        let whole = try await SnapshotFixture(owner, database: "shop")
        try await whole.insert([BSONDocument { $0.append("_id", Int32(1)) }], "orders")
        try await whole.insert([BSONDocument { $0.append("_id", Int32(2)) }], "customers")

        let limited = try await SnapshotFixture(
            try Self.uri("reader", server.port), database: "shop")
        let error = try await #require(throws: MongoError.self) {
            try await limited.backup(filter: NamespaceFilter())
        }
        #expect(error.code == .unauthorized)
        #expect(try limited.folder.contents == [])

        let named = NamespaceFilter(included: [try NamespacePattern("shop.*")])
        for filter in [NamespaceFilter(database: "shop"), named] {
            #expect(try await limited.backup(filter: filter).manifest.documentCount == 2)
        }
    }

    /// The roles that are enough for a restore are for a preview, and for one that can be undone;
    /// writing the difference takes more.
    @Test func theRolesThatTheReadmeNamesAreEnough() async throws {
        let (server, owner) = try await Self.serverWithRestorer()
        let whole = try await SnapshotFixture(owner, database: "d")
        try await whole.insert([document(1), document(2)], "c")
        try await whole.backup()
        try await whole.insert([document(3)], "c")
        let limited = try await SnapshotFixture(
            try Self.uri("restorer", server.port), database: "d")
        let archive = ArchiveLocation.snapshot("latest", in: whole.catalog)
        var options = Restore.Options(mode: .replace, width: 2)
        options.filter.included = [try NamespacePattern("d.*")]
        let report = try await LiveComparison(
            archive, with: limited.pool, for: .preview, restore: options,
            options: Comparison.Options(width: 2), observer: RecordingObserver()
        ).run()
        let difference = report.entries.first { $0.target.collection == "c" }?.difference
        #expect(difference?.onlyInSecondCount == 1 && difference?.equalCount == 2)
        #expect(Set(report.refusals.flatMap(\.ways)) == [.inPlace, .merge])
        #expect(report.refusals.allSatisfy { $0.refusal.code.rawValue == "unauthorized" })
        let foretold = try #require(report.refusals.first { $0.ways.contains(.inPlace) })
        let job = JobID(kind: "restore", limited.environment)
        try await limited.restore(archive, included: ["d.*"]) {
            $0.keepOld = Restore.KeepOld(job: job, seconds: 600)
        }
        #expect(try await whole.documents("c").count == 2)
        _ = try await Undo(
            of: job, as: JobID(kind: "undo", limited.environment), on: limited.pool,
            observer: RecordingObserver()
        ).run()
        #expect(try await whole.documents("c").count == 3)
        let error = await #expect(throws: MongoError.self) {
            try await limited.restore(archive, included: ["d.*"]) { $0.isInPlace = true }
        }
        #expect(error?.message == foretold.refusal.message)
        try await Self.grant("readWriteAnyDatabase", owner)
        try await limited.restore(archive, included: ["d.*"]) { $0.isInPlace = true }
        #expect(try await whole.documents("c").count == 2)
    }

    /// A server with a user who has the roles `restore` and `backup`, and its owner's URI.
    static func serverWithRestorer() async throws -> (PrivateServer, MongoURI) {
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        options.arguments = ["--auth"]
        let server = try await PrivateServer(options)
        try await createUser("owner", "root", on: "admin", server.uri)
        let owner = try uri("owner", server.port)
        try await createUser("restorer", "restore", on: "admin", owner)
        try await grant("backup", owner)
        return (server, owner)
    }

    static func grant(_ role: String, _ owner: MongoURI) async throws {
        try await SnapshotFixture(owner, database: "admin").command(
            BSONDocument {
                $0.append("grantRolesToUser", "restorer")
                $0.append("roles", array: [role])
            })
    }

    static func uri(_ user: String, _ port: UInt16) throws -> MongoURI {
        try MongoURI("mongodb://\(user):word@127.0.0.1:\(port)/?directConnection=true")
    }

    static func createUser(
        _ name: String, _ role: String, on database: String, _ uri: MongoURI
    ) async throws {
        let command = BSONDocument {
            $0.append("createUser", name)
            $0.append("pwd", "word")
            let role = BSONDocument {
                $0.append("role", role)
                $0.append("db", database)
            }
            $0.append("roles", array: [role])
        }
        let pool = try MongoPool(uri: uri, connectionCountMax: 1)
        _ = try await pool.withConnection { try await $0.run(command, on: "admin", as: .write) }
    }
}

extension InterruptedJobTests {
    /// What becomes of an oplog that a user may not replay.
    @Suite struct LimitedReplayTests {
        /// Told before anything is loaded.
        @Test func whoMayNotReplayAnOplogIsRefusedUnlessItIsLeftOut() async throws {
            let source = try await PrivateServer()
            let archived = try await SnapshotFixture(source, database: "d")
            let wanted = try await OplogBackup.backupWithChanges(archived)
            let (server, owner) = try await LimitedUserTests.serverWithRestorer()
            let limited = try await SnapshotFixture(
                try LimitedUserTests.uri("restorer", server.port), database: "d")
            let archive = ArchiveLocation.snapshot("latest", in: archived.catalog)
            let error = try await #require(throws: SnapshotError.self) {
                try await limited.restore(archive)
            }
            #expect(error.code == .unsupported)
            #expect(error.message.contains("--no-oplog"))
            #expect(try await limited.names() == [])
            try await LimitedUserTests.grant("readWriteAnyDatabase", owner)
            try await limited.restore(archive)
            #expect(try await SnapshotFixture(owner, database: "d").differences(from: wanted) == [])
        }
    }
}
