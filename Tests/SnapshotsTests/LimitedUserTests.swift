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

    /// Told before anything is loaded.
    @Test func whoMayNotReplayAnOplogIsRefusedUnlessItIsLeftOut() async throws {
        let source = try await PrivateServer()
        let archived = try await SnapshotFixture(source, database: "d")
        let wanted = try await OplogBackup.backupWithChanges(archived)
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        options.arguments = ["--auth"]
        let server = try await PrivateServer(options)
        try await Self.createUser("owner", "root", on: "admin", server.uri)
        let owner = try Self.uri("owner", server.port)
        try await Self.createUser("restorer", "restore", on: "admin", owner)
        func grant(_ role: String) async throws {
            try await SnapshotFixture(owner, database: "admin").command(
                BSONDocument {
                    $0.append("grantRolesToUser", "restorer")
                    $0.append("roles", array: [role])
                })
        }
        try await grant("backup")
        let limited = try await SnapshotFixture(
            try Self.uri("restorer", server.port), database: "d")
        let archive = ArchiveLocation.snapshot("latest", in: archived.catalog)
        let error = try await #require(throws: SnapshotError.self) {
            try await limited.restore(archive)
        }
        #expect(error.code == .unsupported)
        #expect(error.message.contains("--no-oplog"))
        #expect(try await limited.names() == [])
        try await grant("readWriteAnyDatabase")
        try await limited.restore(archive)
        #expect(try await SnapshotFixture(owner, database: "d").differences(from: wanted) == [])
    }

    private static func uri(_ user: String, _ port: UInt16) throws -> MongoURI {
        try MongoURI("mongodb://\(user):word@127.0.0.1:\(port)/?directConnection=true")
    }

    private static func createUser(
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
