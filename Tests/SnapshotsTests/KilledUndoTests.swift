import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// Restores that write to live collections, or move them aside, killed in each of their phases: no
/// document is less than before, and the same again completes them.
@Suite(.needsServer, .serialized) struct KilledUndoTests {
    @Test(arguments: [("comparing", 1), ("loading", 1), ("publishing", 1), ("comparing", 2)])
    func aKilledRestoreInPlaceLosesNothing(_ phase: String, _ count: Int) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert((0..<2000).map { Victim.stone($0, "snapshot") }, "stones")
        try await fixture.backup()
        let archived = try await fixture.state()
        for number: Int32 in 0..<50 {
            try await fixture.delete(BSONValue.made { $0.append("", number) }, "stones")
        }
        for number in 50..<100 {
            try await fixture.replace(
                BSONValue.made { $0.append("", Int32(number)) },
                by: Victim.stone(number, "live"), "stones")
        }
        try await fixture.insert((3000..<3050).map { Victim.stone($0, "live") }, "stones")
        let before = Set(try await fixture.documents("stones").map { try $0.require("_id") { $0 } })
        let victim = Victim(fixture, server, phase, count: count)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restoreInPlace()
        }
        let after = Set(try await fixture.documents("stones").map { try $0.require("_id") { $0 } })
        // Deletions come last: until they begin nothing is missing, and only what is no document of
        // the snapshot may be missing then.
        let missing = before.subtracting(after).compactMap(\.int32)
        #expect(missing.allSatisfy { $0 >= 3000 }, "\(missing)")
        #expect(phase == "publishing" || phase == "comparing" && count == 2 || missing.isEmpty)
        try await fixture.restore { $0.isInPlace = true }
        #expect(try await fixture.state() == archived)
        try await server.stop()
    }

    /// Killed while it swaps, each collection is the old one or the new one, and what was displaced
    /// is kept.
    @Test(arguments: [1, 2, 3, 6])
    func aKilledSwapThatKeepsOldLosesNothing(_ count: Int) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        let names = try await Self.collectionsWithNewDocuments(fixture)
        let victim = Victim(fixture, server, "publishing", count: count)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restoreKeepingOld()
        }
        try await KeptCollections.clean(fixture.pool, RecordingObserver())
        let kept = try await KeptCollections.list(fixture.pool)
        for name in names {
            let documentCount = try await fixture.documents(name).count
            let isKept = kept.contains { $0.namespace.collection == name }
            #expect(documentCount == (isKept ? 50 : 51), "\(name)")
        }
        try await server.stop()
    }

    @Test(arguments: [1, 2, 4])
    func aKilledUndoGoesOn(_ count: Int) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        let names = try await Self.collectionsWithNewDocuments(fixture)
        let job = try #require(JobID(Victim.job))
        try await fixture.restore {
            $0.keepOld = Restore.KeepOld(job: job, seconds: 3600)
        }
        let victim = Victim(fixture, server, "publishing", count: count)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.undo()
        }
        // What was not put back yet is put back by the same again.
        let again = JobID(kind: "undo", fixture.environment)
        _ = try await Undo(
            of: job, as: again, on: fixture.pool, observer: RecordingObserver()
        ).run()
        for name in names { #expect(try await fixture.documents(name).count == 51, "\(name)") }
        try await server.stop()
    }

    /// Makes and backs up collections of 50 documents, and adds one to each.
    private static func collectionsWithNewDocuments(
        _ fixture: SnapshotFixture
    ) async throws -> [String] {
        let names = (0..<6).map { "c\($0)" }
        for name in names {
            try await fixture.insert((0..<50).map { Victim.stone($0, "snapshot") }, name)
        }
        try await fixture.backup()
        for name in names { try await fixture.insert([Victim.stone(99, "live")], name) }
        return names
    }
}
