import BSONBytes
import Foundation
import MongoDriver
import ObjectStorage
import PrivateServer
import Snapshots
import Testing

/// Jobs that are killed with SIGKILL in the middle of a phase, in a process of their own. Each test
/// has a server of its own, for any restore cleans up what killed ones left anywhere.
@Suite(.needsServer, .serialized) struct KillTests {
    @Test(arguments: ["reading", "publishing"])
    func aKilledBackupLeavesNoSnapshot(_ phase: String) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert((0..<2000).map { Victim.stone($0, "old") }, "stones")
        let victim = Victim(fixture, server, phase)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.backup()
        }
        #expect(try await fixture.catalog.list().isEmpty)
        // The next backup removes what is left, says so, and succeeds.
        let observer = RecordingObserver()
        try await fixture.backup(observer: observer)
        #expect(observer.notices.count == 1, "\(observer.notices)")
        #expect(try fixture.folder.contents.count == 1)
        try await server.stop()
    }

    @Test(arguments: ["loading", "comparing", "replaying"])
    func aKilledReplaceLeavesTheLiveDataAsItWas(_ phase: String) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await CollectionKinds.make(fixture)
        try await fixture.insert((0..<2000).map { Victim.stone($0, "old") }, "stones")
        try await fixture.backup(filter: phase == "replaying" ? NamespaceFilter() : nil) {
            $0.consistency = phase == "replaying" ? .oplog : .snapshot
        }
        try await fixture.insert((2000..<2100).map { Victim.stone($0, "new") }, "stones")
        let before = try await fixture.state()
        let victim = Victim(fixture, server, phase)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restore()
        }
        let after = try await fixture.state()
        for (name, collection) in before.collections {
            #expect(after.collections[name] == collection, "\(name)")
        }
        #expect(after.collections.count > before.collections.count, "staging collections are left")
        // The next restore removes them, and what comes back is the snapshot.
        let observer = RecordingObserver()
        try await fixture.restore(observer: observer)
        #expect(
            observer.notices.contains { $0.contains("left behind by a restore that was killed") })
        let names = try await fixture.names()
        #expect(!names.contains { $0.hasPrefix("cairn.staging.") })
        #expect(try await fixture.documents("stones").count == 2000)
        try await server.stop()
    }

    @Test func aReplaceKilledWhileItSwapsLeavesEachCollectionOldOrNew() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        let collections = (0..<12).map { "c\($0)" }
        for name in collections {
            try await fixture.insert((0..<50).map { Victim.stone($0, "snapshot") }, name)
        }
        try await fixture.backup()
        for name in collections {
            try await fixture.insert([Victim.stone(99, "live")], name)
        }
        // Four are swapped at once, so at the eighth some are done and some have not begun.
        let victim = Victim(fixture, server, "publishing", count: 9)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restore()
        }
        let counts = try await collections.asyncMap { try await fixture.documents($0).count }
        #expect(counts.allSatisfy { $0 == 50 || $0 == 51 }, "\(counts)")
        #expect(counts.contains(50) && counts.contains(51), "\(counts)")
        try await fixture.restore()
        let restored = try await collections.asyncMap { try await fixture.documents($0).count }
        #expect(restored.allSatisfy { $0 == 50 })
        let names = try await fixture.names()
        #expect(names == collections.sorted())
        try await server.stop()
    }

    @Test func aKilledMergeLosesNothing() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert((0..<5000).map { Victim.stone($0, "snapshot") }, "stones")
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.insert((0..<10).map { Victim.stone($0 + 10_000, "live") }, "stones")
        let victim = Victim(fixture, server, "loading", count: 2)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.merge()
        }
        let live = try await fixture.documents("stones").filter { document in
            try document.first("text")?.string == "live"
        }
        #expect(live.count == 10)
        try await fixture.restore(nil, .merge)
        #expect(try await fixture.documents("stones").count == 5010)
        try await server.stop()
    }
}

/// A job that kills its own process at the `count`th sign of life of a phase.
struct Victim: Codable {
    var port: UInt16
    var folder: String
    var database: String
    var phase: String
    var count: Int

    init(_ fixture: SnapshotFixture, _ server: PrivateServer, _ phase: String, count: Int = 1) {
        port = server.port
        folder = fixture.folder.path
        database = fixture.database
        self.phase = phase
        self.count = count
    }

    func backup() async throws {
        var options = Backup.Options(width: 2)
        options.filter = NamespaceFilter(database: database)
        options.chunkTargetByteCount = 262_144
        let store = try await FileSystemStore(folder: folder, create: false)
        let environment = JobEnvironment(now: { 1_700_000_000_000 }, random: { 1 })
        _ = try await Backup(
            pool(), to: .repository(store), options: options, environment: environment,
            observer: observer
        ).run()
    }

    func restore() async throws {
        try await run(.replace)
    }

    func merge() async throws {
        try await run(.merge)
    }

    func restoreInPlace() async throws {
        try await run(.replace) { $0.isInPlace = true }
    }

    /// A document of some size.
    static func stone(_ number: Int, _ text: String) -> BSONDocument {
        BSONDocument {
            $0.append("_id", Int32(number))
            $0.append("text", text)
            $0.append("padding", String(repeating: "stone \(number) ", count: 40))
        }
    }

    /// The job whose work `undo` undoes.
    static let job = "20261124T084512Z-restore-3f9a1c"

    func restoreKeepingOld() async throws {
        let job = try #require(JobID(Self.job))
        try await run(.replace) { $0.keepOld = Restore.KeepOld(job: job, seconds: 3600) }
    }

    func undo() async throws {
        let job = try #require(JobID(Self.job))
        let own = try #require(JobID("20261124T084513Z-undo-3f9a1c"))
        _ = try await Undo(of: job, as: own, on: pool(), observer: observer).run()
    }

    private func run(
        _ mode: Restore.Mode, _ adjust: (inout Restore.Options) -> Void = { _ in }
    ) async throws {
        let store = try await FileSystemStore(folder: folder, create: false)
        let location = ArchiveLocation.snapshot("latest", in: SnapshotCatalog(store))
        var options = Restore.Options(mode: mode, width: 2)
        adjust(&options)
        _ = try await Restore(location, to: pool(), options: options, observer: observer).run()
    }

    private func pool() throws -> MongoPool {
        let uri = try MongoURI("mongodb://127.0.0.1:\(port)/?directConnection=true")
        return try MongoPool(uri: uri, connectionCountMax: 4)
    }

    private var observer: RecordingObserver {
        let seen = Counter()
        return RecordingObserver { [phase, count] progress in
            guard progress.phase.rawValue == phase, seen.next() == count else { return }
            kill(getpid(), SIGKILL)
        }
    }
}

extension Array where Element: Sendable {
    /// The results of `transform`, one after another.
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
