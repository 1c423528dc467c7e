import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import ObjectStorage
import PrivateServer
import Snapshots
import Synchronization
import Testing

/// Backups that go on where a killed one has stopped.
@Suite(.needsServer, .serialized) struct BackupResumeTests {
    private static func fill(_ fixture: SnapshotFixture) async throws {
        let fill = [UInt8](repeating: 1, count: 40_000)
        for name in ["a", "b", "c"] {
            let count: Int32 = name == "b" ? 120 : 20
            try await fixture.insert(
                (0..<count).map { number in
                    document(number) { $0.append("fill", binary: fill, subtype: 0) }
                }, name)
        }
        try await fixture.insert((0..<30).map { document($0) }, "small")
        try await fixture.create("empty")
    }

    private static func killBackup(
        _ fixture: SnapshotFixture, _ server: PrivateServer, _ phase: String, _ count: Int
    ) async {
        let victim = Victim(fixture, server, phase, count: count)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.backup()
        }
    }

    /// Snapshot and database differ in nothing.
    private func expectEqual(
        _ fixture: SnapshotFixture, _ expected: SnapshotFixture.State
    ) async throws {
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == expected)
    }

    /// Killed in the middle of one collection, and at the very end.
    @Test(arguments: [("reading", 5), ("reading", 9), ("reading", 14), ("publishing", 1)])
    func aKilledBackupGoesOn(_ phase: String, _ count: Int) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await Self.fill(fixture)
        let before = try await fixture.state()
        await Self.killBackup(fixture, server, phase, count)
        // It is of the instant at which the killed one had begun.
        try await fixture.insert([document(5000)], "b")
        try await fixture.delete(BSONValue.made { $0.append("", Int32(100)) }, "b")
        try await fixture.insert([document(5000)], "c")
        let observer = RecordingObserver()
        let report = try await fixture.backup(observer: observer) { $0.isResumed = true }
        #expect(observer.notices.contains { $0.contains("resuming") }, "\(observer.notices)")
        #expect(!observer.notices.contains { $0.contains("starting") })
        #expect(!observer.notices.contains { $0.hasSuffix("kept: 0") })
        #expect(report.manifest.documentCount == 190)
        #expect(try fixture.folder.contents.count == 1)
        try await expectEqual(fixture, before)
        try await server.stop()
    }

    /// It is as if it had never been interrupted: the same documents in the same order.
    @Test func theArchiveIsThatOfAnUninterruptedBackup() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await Self.fill(fixture)
        let whole = try await fixture.backup()
        await Self.killBackup(fixture, server, "reading", 8)
        let killed = try #require(
            try fixture.folder.contents.first { $0.contains(".partial-") }
        ).dropFirst().prefix { $0 != "." }
        let resumed = try await fixture.backup {
            $0.isResumed = true
            $0.id = SnapshotID(milliseconds: 0, kind: "manual", random: 1)
            $0.description = "another"
        }
        // Identifier and description stay those of what it resumes.
        #expect(resumed.manifest.id == killed)
        #expect(resumed.manifest.description == nil)
        let pairs = zip(whole.manifest.namespaces, resumed.manifest.namespaces)
        for (first, second) in pairs {
            #expect(first.descriptor == second.descriptor)
            #expect(first.totals == second.totals, "\(first.descriptor.namespace)")
        }
        try await server.stop()
    }

    @Test func historyThatIsGoneIsSaidAndItStartsAgain() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await Self.fill(fixture)
        await Self.killBackup(fixture, server, "reading", 8)
        try await fixture.insert([document(5000)], "b")
        try await fixture.dropCollection("c")
        let before = try await fixture.state()
        let observer = RecordingObserver()
        try await fixture.backup(observer: observer) { $0.isResumed = true }
        #expect(
            observer.notices.contains { $0.contains("starting again") }, "\(observer.notices)")
        #expect(try fixture.folder.contents.count == 1)
        try await expectEqual(fixture, before)
        try await server.stop()
    }

    @Test func whatWasAskedForOtherwiseIsNotGoneOnWith() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await Self.fill(fixture)
        await Self.killBackup(fixture, server, "reading", 8)
        let observer = RecordingObserver()
        try await fixture.backup(try Compression(.zstd), observer: observer) {
            $0.isResumed = true
        }
        #expect(observer.notices.contains { $0.contains("nothing to resume") })
        try await server.stop()
    }

    /// A byte of what the killed one had written is not what it was: what follows is read again.
    @Test func aDamagedPartIsReadAgain() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await Self.fill(fixture)
        let before = try await fixture.state()
        await Self.killBackup(fixture, server, "reading", 9)
        let name = try #require(
            try fixture.folder.contents.first {
                $0.contains(".partial-") && !$0.contains(".note.")
            })
        let path = fixture.folder.path + "/" + name
        var bytes = try fixture.folder.bytes(path)
        bytes[bytes.count * 2 / 3] ^= 1
        _ = try fixture.folder.file(name, bytes)
        let observer = RecordingObserver()
        try await fixture.backup(observer: observer) { $0.isResumed = true }
        #expect(observer.notices.contains { $0.contains("resuming") })
        try await expectEqual(fixture, before)
        try await server.stop()
    }
}

extension InterruptedJobTests {
    /// Backups that go on by themselves.
    @Suite struct BackupEnduranceTests {
        @Test(arguments: [Backup.Consistency.auto, .none])
        func aRestartedServerIsWaitedFor(_ consistency: Backup.Consistency) async throws {
            let server = try await PrivateServer()
            let uri = try MongoURI(
                "mongodb://127.0.0.1:\(server.port)/?replicaSet=rs0&serverSelectionTimeoutMS=1000")
            let fixture = try await SnapshotFixture(server, uri: uri)
            // More than a reply of the server holds.
            let fill = [UInt8](repeating: 1, count: 100_000)
            for (name, count) in [("a", 20), ("b", 400), ("c", 20)] {
                try await fixture.insert(
                    (0..<count).map { number in
                        document(Int32(number)) { $0.append("fill", binary: fill, subtype: 0) }
                    }, name)
            }
            // On disk, for a killed server forgets what it had only in memory.
            try await fixture.pool.withConnection { connection in
                _ = try await connection.run(
                    BSONDocument { $0.append("fsync", Int32(1)) }, on: "admin")
            }
            let before = try await fixture.state()
            let notices = Mutex<[String]>([])
            _ = try await Gate { $0.documentCount > 30 }.run { observer in
                try await fixture.backup(observer: observer) {
                    $0.enduranceSeconds = 120
                    $0.consistency = consistency
                }
                notices.withLock { $0 = observer.notices }
            } meanwhile: {
                try await server.kill()
                try await server.restart()
            }
            let told = notices.withLock { $0 }
            let way = consistency == .auto ? "trying again" : "resuming"
            #expect(told.contains { $0.contains(way) }, "\(told)")
            #expect(!told.contains { $0.contains("starting") }, "\(told)")
            try await fixture.drop()
            try await fixture.restore()
            #expect(try await fixture.state() == before)
            #expect(try fixture.folder.contents.count == 1)
            try await server.stop()
        }
    }
}
