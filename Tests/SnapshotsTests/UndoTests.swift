import ArchiveFormat
import BSONBytes
import MongoDriver
import ObjectStorage
import PrivateServer
import Snapshots
import Testing

/// Restores that keep what they displace, and what becomes of it.
@Suite(.needsServer) struct UndoTests {
    private static func made(_ numbers: Range<Int>, _ text: String) -> [BSONDocument] {
        numbers.map { number in document(Int32(number)) { $0.append("text", text) } }
    }

    private func restore(
        _ fixture: SnapshotFixture, seconds: Int64 = 3600,
        observer: RecordingObserver = RecordingObserver()
    ) async throws -> JobID {
        let job = JobID(kind: "restore", fixture.environment)
        try await fixture.restore(observer: observer) {
            $0.keepOld = Restore.KeepOld(job: job, seconds: seconds)
        }
        return job
    }

    private func undo(_ job: JobID, _ fixture: SnapshotFixture) async throws -> JobID {
        let newJob = JobID(kind: "undo", fixture.environment)
        _ = try await Undo(
            of: job, as: newJob, on: fixture.pool, observer: RecordingObserver()
        ).run()
        return newJob
    }

    /// The state apart from what is kept.
    private func state(_ fixture: SnapshotFixture) async throws -> SnapshotFixture.State {
        var state = try await fixture.state()
        for name in state.collections.keys where name.hasPrefix("cairn.") {
            state.collections[name] = nil
        }
        return state
    }

    /// A server makes no collection that could stand for the one that was not there.
    @Test func functionsOfTheDatabaseAreRestoredWithoutBeingKept() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(Self.made(0..<2, "snapshot"), "system.js")
        try await fixture.insert(Self.made(0..<2, "snapshot"), "c")
        try await fixture.backup()
        // A server drops system.js with its database only.
        try await fixture.drop()
        try await fixture.insert(Self.made(5..<6, "live"), "c")
        let observer = RecordingObserver()
        let job = try await restore(fixture, observer: observer)
        #expect(try await fixture.documents("system.js").count == 2)
        let told = observer.notices.filter { $0.contains("no old state is kept") }
        #expect(told.count == 1 && told[0].contains("\(fixture.database).system.js"))
        _ = try await undo(job, fixture)
        #expect(try await fixture.documents("system.js").count == 2)
        try await fixture.drop()
    }

    @Test func aRestoreIsUndoneAndDoneAgain() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(Self.made(0..<30_000, "snapshot"), "large")
        try await fixture.insert(Self.made(0..<50, "snapshot"), "small")
        try await fixture.insert(Self.made(0..<50, "snapshot"), "gone")
        try await fixture.backup()
        let archived = try await fixture.state()
        try await fixture.insert(Self.made(40_000..<40_010, "live"), "large")
        try await fixture.insert(Self.made(100..<110, "live"), "small")
        try await fixture.dropCollection("gone")
        let live = try await fixture.state()
        let job = try await restore(fixture)
        #expect(try await state(fixture) == archived)
        let kept = try await KeptCollections.list(fixture.pool).filter { $0.job == job }
        #expect(kept.map(\.namespace.collection) == ["gone", "large", "small"])
        #expect(kept.map(\.wasAbsent) == [true, false, false])
        let undone = try await undo(job, fixture)
        #expect(try await state(fixture) == live)
        let redone = try await undo(undone, fixture)
        #expect(try await state(fixture) == archived)
        _ = try await undo(redone, fixture)
        #expect(try await state(fixture) == live)
        await #expect(throws: SnapshotError.self) { _ = try await undo(job, fixture) }
        try await fixture.drop()
    }

    /// One collection that can't be put back is no reason to leave the others.
    @Test func whatIsInTheWayIsSaidAndTheRestIsPutBack() async throws {
        let fixture = try await SnapshotFixture.shared()
        for name in ["a", "b", "c"] {
            try await fixture.insert(Self.made(0..<3, "snapshot"), name)
        }
        try await fixture.backup()
        for name in ["a", "b", "c"] { try await fixture.insert(Self.made(3..<5, "live"), name) }
        let job = try await restore(fixture)
        try await fixture.dropCollection("b")
        try await fixture.create(
            "b",
            BSONDocument {
                $0.append("viewOn", "a")
                $0.append("pipeline", array: [BSONDocument]())
            })
        let error = await #expect(throws: SnapshotError.self) { _ = try await undo(job, fixture) }
        #expect(error?.message.contains("1 of 3") == true, "\(String(describing: error))")
        for name in ["a", "c"] { #expect(try await fixture.documents(name).count == 5) }
        try await fixture.dropCollection("b")
        _ = try await undo(job, fixture)
        #expect(try await fixture.documents("b").count == 5)
        try await fixture.drop()
    }

    @Test func whatIsKeptIsInNoBackup() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(Self.made(0..<50, "snapshot"), "c")
        try await fixture.backup()
        _ = try await restore(fixture)
        let manifest = try await fixture.backup().manifest
        #expect(manifest.namespaces.map(\.descriptor.namespace.collection) == ["c"])
        try await fixture.drop()
    }

    @Test func whatHasExpiredIsRemovedByTheNextRestore() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert(Self.made(0..<50, "snapshot"), "c")
        try await fixture.backup()
        let expired = try await restore(fixture, seconds: 0)
        let observer = RecordingObserver()
        let kept = try await restore(fixture, observer: observer)
        #expect(observer.notices.contains { $0.contains("its time is over") })
        #expect(try await KeptCollections.list(fixture.pool).map(\.job) == [kept])
        await #expect(throws: SnapshotError.self) { _ = try await undo(expired, fixture) }
        try await server.stop()
    }

    /// A name must have room for what is put in front of it, and that is told before anything is
    /// written.
    @Test func aNameThatIsTooLongIsRefused() async throws {
        let fixture = try await SnapshotFixture.shared()
        let long = String(repeating: "l", count: 200)
        try await fixture.insert(Self.made(0..<50, "snapshot"), long)
        try await fixture.backup()
        let before = try await fixture.state()
        let error = await #expect(throws: SnapshotError.self) { _ = try await restore(fixture) }
        #expect(error?.code == .namespaceConflict)
        #expect(try await fixture.state() == before)
        // The longest that is promised does fit.
        let fits = String(repeating: "f", count: 140)
        try await fixture.dropCollection(long)
        try await fixture.insert(Self.made(0..<50, "snapshot"), fits)
        try await fixture.backup()
        let job = try await restore(fixture)
        _ = try await undo(job, fixture)
        try await fixture.drop()
    }

    /// Killed between the two renames there is no live collection: the next one puts it back.
    @Test func aSwapThatWasCutOffIsMended() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert(Self.made(0..<50, "live"), "c")
        try await fixture.backup()
        // As a process that is no more would have left it.
        let own = OwnerToken.current.description.split(separator: "-")
        let name = "cairn.swap.\(own[0])-\(own[1])-00000000"
        let fields = "20261124T084512Z-restore-3f9a1c.7fffffff.live.c"
        try await fixture.pool.withConnection { connection in
            try await connection.renameCollection(
                from: "\(fixture.database).c", to: "\(fixture.database).\(name).\(fields)",
                dropTarget: false)
        }
        // A backup would miss it.
        await #expect(throws: SnapshotError.self) { try await fixture.backup() }
        let observer = RecordingObserver()
        try await KeptCollections.clean(fixture.pool, observer)
        #expect(observer.notices.contains { $0.contains("put") })
        #expect(try await fixture.names() == ["c"])
        #expect(try await fixture.documents("c").count == 50)
        try await server.stop()
    }
}
