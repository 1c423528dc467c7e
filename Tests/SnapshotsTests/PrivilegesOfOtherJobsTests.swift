import ArchiveEngine
import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

/// The same as `PrivilegeModelTests` for jobs other than the restore of a collection.
@Suite(.needsServer, .serialized) struct PrivilegesOfOtherJobsTests {
    /// Runs a job without each single privilege, then with all of them.
    private static func check(
        _ needs: PrivilegeNeeds, _ server: LimitedServer, _ owner: SnapshotFixture,
        ignoring: String? = nil, _ job: () async throws -> Void
    ) async throws {
        let stated = RoleGrants(needs, owner.database)
        #expect(!stated.pairs.isEmpty)
        let before = try await owner.state()
        for left in stated.pairs {
            let rest = stated.without(left)
            guard !needs.missing(for: rest.privileges).isEmpty else { continue }
            // Who may not list collections is shown none that are kept.
            if ignoring == left.action { continue }
            try await server.grant(rest)
            let error = try await #require(throws: MongoError.self, "without \(left)") {
                try await job()
            }
            #expect(error.code == .unauthorized, "without \(left)")
            #expect(error.message.contains(left.action), "\(error)")
            #expect(try await owner.state() == before, "without \(left)")
        }
        try await server.grant(stated)
        try await job()
    }

    @Test(arguments: PrivilegedKind.allCases)
    func aBackup(_ kind: PrivilegedKind) async throws {
        let server = try await LimitedServer.alone()
        let owner = try await SnapshotFixture(server.owner, database: "d")
        try await kind.make(owner)
        let limited = try await server.limited("d")
        let needs = try await Self.needs(owner, NamespaceFilter(database: "d"))
        try await Self.check(needs, server, owner) { try await limited.backup() }
    }

    @Test func aBackupOfEverything() async throws {
        let server = try await LimitedServer.replicaSet()
        let owner = try await SnapshotFixture(server.owner, database: "d")
        try await owner.insert([document(1)], "c")
        let limited = try await server.limited("d")
        let needs = try await Self.needs(owner, NamespaceFilter(), .oplog)
        #expect(needs.missing(for: UserPrivileges()).contains { $0.action == "listDatabases" })
        try await Self.check(needs, server, owner) {
            try await limited.backup(filter: NamespaceFilter()) { $0.consistency = .oplog }
        }
    }

    private static func needs(
        _ owner: SnapshotFixture, _ filter: NamespaceFilter, _ level: Backup.Level = .none
    ) async throws -> PrivilegeNeeds {
        let server = try await owner.pool.withConnection { try await $0.serverInfo() }
        return try await SourceCatalog.needs(owner.pool, filter, level, .unlimited, server)
    }

    @Test func anUndo() async throws {
        let server = try await LimitedServer.alone()
        let owner = try await SnapshotFixture(server.owner, database: "d")
        try await PrivilegedKind.plain.make(owner)
        try await owner.insert([document(1)], "gone")
        try await owner.backup()
        try await owner.pool.withConnection { try await $0.dropCollection("gone", in: "d") }
        let before = try await owner.state()
        let job = JobID(kind: "restore", owner.environment)
        try await owner.restore { $0.keepOld = Restore.KeepOld(job: job, seconds: 600) }
        let limited = try await server.limited("d")
        let undo = Undo(
            of: job, as: JobID(kind: "undo", owner.environment), on: limited.pool,
            observer: RecordingObserver())
        // Who may not list collections is not told that there are none.
        try await server.grant(RoleGrants([]))
        let blind = await #expect(throws: SnapshotError.self) { _ = try await undo.run() }
        #expect(blind?.message.contains("listCollections") == true)
        let needs = undo.needs(try await KeptCollections.list(owner.pool))
        try await Self.check(needs, server, owner, ignoring: "listCollections") {
            _ = try await undo.run()
        }
        try await owner.dropOwnCollections()
        #expect(try await owner.state() == before)
    }

    /// A replacing one takes the user's own role back to what it was.
    @Test(arguments: Restore.Mode.allCases)
    func usersAndRoles(_ mode: Restore.Mode) async throws {
        let server = try await LimitedServer.alone()
        let owner = try await SnapshotFixture(server.owner, database: "admin")
        try await LimitedUserTests.createUser("anna", "read", on: "d", server.owner)
        try await owner.backup(filter: NamespaceFilter())
        let limited = try await server.limited("admin")
        let archive = ArchiveLocation.snapshot("latest", in: owner.catalog)
        let included = ["admin.system.*"]
        let needs = try await PrivilegeModelTests.needs(owner, archive, included) {
            $0.mode = mode
        }
        let stated = RoleGrants(needs, "admin")
        for left in stated.pairs {
            let rest = stated.without(left)
            guard !needs.missing(for: rest.privileges).isEmpty else { continue }
            try await server.grant(rest)
            let error = try await #require(throws: MongoError.self, "without \(left)") {
                try await limited.restore(archive, mode, included: included)
            }
            #expect(error.message.contains(left.action), "\(error)")
            #expect(try await owner.names().filter { $0.hasPrefix("temp") } == [])
        }
        try await server.grant(stated)
        try await limited.restore(archive, mode, included: included)
        #expect(try await owner.documents("system.users").count == 3)
    }

    @Test(arguments: [PrivilegedKind.plain, .timeSeries, .view])
    func aPreview(_ kind: PrivilegedKind) async throws {
        let server = try await LimitedServer.alone()
        let owner = try await SnapshotFixture(server.owner, database: "d")
        try await kind.make(owner)
        try await owner.backup()
        let limited = try await server.limited("d")
        let location = ArchiveLocation.snapshot("latest", in: owner.catalog)
        let options = Restore.Options(mode: .replace, width: 1)
        let reader = try await location.open().reader
        let info = try await owner.pool.withConnection { try await $0.serverInfo() }
        let choices = try RestorePlan.choose(reader, options, info, RecordingObserver())
        let live = try await LiveCatalog.read(["d"], owner.pool)
        let needs = LiveComparison.needs(choices, live, info)
        try await Self.check(needs, server, owner) {
            _ = try await LiveComparison(
                location, with: limited.pool, for: .difference, restore: options,
                options: Comparison.Options(width: 1), observer: RecordingObserver()
            ).run()
        }
    }
}
