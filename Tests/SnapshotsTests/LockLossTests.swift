import ArchiveFormat
import Foundation
import ObjectStorage
import Synchronization
import Testing

@testable import Snapshots

/// Clocks that a test sets.
final class SetClocks: Sendable {
    private let time = Mutex(LockTime(sinceBoot: 1000, sinceEpoch: 1_795_000_000))

    var now: LockTime { time.withLock { $0 } }

    /// The machine goes on, or sleeps.
    func advance(_ seconds: Double) {
        time.withLock {
            $0.sinceBoot += seconds
            $0.sinceEpoch += seconds
        }
    }

    /// A virtual machine is stopped from outside: nothing but the time of day goes on.
    func jump(_ seconds: Double) { time.withLock { $0.sinceEpoch += seconds } }
}

/// A store whose marks can be touched as a test decides.
private struct MarkFaults: ObjectStore {
    enum Course: Sendable { case works, fails, hangs }

    final class State: Sendable {
        private let course = Mutex(Course.works)
        private let touches = Mutex(0)

        var now: Course {
            get { course.withLock { $0 } }
            set { course.withLock { $0 = newValue } }
        }
        var touchCount: Int { touches.withLock { $0 } }

        func count() { touches.withLock { $0 += 1 } }
    }

    let store: FileSystemStore
    let state = State()

    func touchMark(_ name: String, _ kind: MarkKind) async throws {
        state.count()
        switch state.now {
        case .works: try await store.touchMark(name, kind)
        case .fails: throw ObjectStorageError(.io, "the disk is on fire", path: "/r")
        case .hangs:
            // As a network file system does: not even a cancellation ends it.
            while true { await Task.detached { try? await Task.sleep(for: .seconds(1)) }.value }
        }
    }

    func removeMark(_ name: String, _ kind: MarkKind) async throws {
        if state.now == .hangs { try await touchMark(name, kind) }
        try await store.removeMark(name, kind)
    }

    func list() async throws -> [StoredObject] { try await store.list() }
    func strays() async throws -> [StrayEntry] { try await store.strays() }
    func withUpload<Result>(
        key: String, _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> Result { try await store.withUpload(key: key, body) }
    func openReader(key: String) async throws -> any ObjectReader {
        try await store.openReader(key: key)
    }
    func delete(key: String) async throws { try await store.delete(key: key) }
    func marks(_ kind: MarkKind) async throws -> [StoredObject] { try await store.marks(kind) }
    func readMark(_ name: String, _ kind: MarkKind) async throws -> [UInt8]? {
        try await store.readMark(name, kind)
    }
    func writeMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws {
        try await store.writeMark(bytes, name, kind)
    }
    func appendToMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws {
        try await store.appendToMark(bytes, name, kind)
    }
    func space() async throws -> StorageSpace? { try await store.space() }
}

/// A job whose lock is lost is cancelled, says why, and does nothing that can't be taken back.
@Suite struct LockLossTests {
    private let folder: TemporaryFolder
    private let store: MarkFaults
    private let clocks = SetClocks()
    private let observer = RecordingObserver()

    init() async throws {
        folder = try TemporaryFolder()
        store = MarkFaults(store: try await FileSystemStore(folder: folder.path, create: true))
    }

    /// - Parameter secondsMax: by real clocks; nil for those that the test sets.
    private func locks(secondsMax: Double? = nil) -> RepositoryLocks {
        var locks = RepositoryLocks(
            store,
            environment: JobEnvironment(
                now: { Int64(Date().timeIntervalSince1970 * 1000) },
                random: { .random(in: 0 ... .max) }),
            heartbeat: .milliseconds(20))
        locks.watchPause = .milliseconds(10)
        locks.releasePatience = .milliseconds(50)
        if let secondsMax {
            locks.secondsMax = secondsMax
        } else {
            locks.now = { [clocks] in clocks.now }
        }
        return locks
    }

    private static let claim: LockClaim = {
        var claim = LockClaim(.backup)
        claim.uses = [SnapshotID(milliseconds: 0, kind: "manual", random: 1)]
        return claim
    }()

    /// Runs a job that waits to be cancelled, and gives the error that it ended with.
    private func lossOfWaitingJob(
        _ locks: RepositoryLocks, _ begun: @escaping @Sendable () async throws -> Void
    ) async -> SnapshotError? {
        await #expect(throws: SnapshotError.self) {
            try await locks.withLock(Self.claim, observer: observer) {
                try await begun()
                try await Task.sleep(for: .seconds(120))
                Issue.record("the job was not cancelled")
            }
        }
    }

    @Test func aLockThatCantBeRenewedCancelsTheJob() async throws {
        let error = await lossOfWaitingJob(locks(secondsMax: 0.2)) { [store] in
            store.state.now = .fails
        }
        #expect(error?.code == .lockLost)
        #expect(error?.message.hasPrefix("lock lost: the lock of this backup") == true)
        #expect(error?.message.contains("the disk is on fire") == true)
        #expect(error?.message.contains("run it again") == true)
        #expect(observer.notices.count { $0.contains("can't be renewed") } == 1)
        // What is left of it goes with it.
        #expect(try folder.contents == [])
    }

    @Test func aRenewalThatHangsCountsAsNone() async throws {
        let error = await lossOfWaitingJob(locks(secondsMax: 0.2)) { [store] in
            store.state.now = .hangs
        }
        #expect(error?.code == .lockLost)
    }

    @Test func aRenewalThatFailsForAWhileCancelsNothing() async throws {
        try await locks(secondsMax: 60).withLock(Self.claim, observer: observer) {
            store.state.now = .fails
            let before = store.state.touchCount
            for _ in 0..<1000 where store.state.touchCount < before + 3 {
                try await Task.sleep(for: .milliseconds(10))
            }
            store.state.now = .works
            let failed = store.state.touchCount
            for _ in 0..<1000 where store.state.touchCount < failed + 2 {
                try await Task.sleep(for: .milliseconds(10))
            }
            try await RepositoryLocks.confirmHeld()
        }
        #expect(observer.notices.count { $0.contains("can't be renewed") } == 1)
        #expect(try folder.contents == [])
    }

    @Test func aMarkThatIsGoneCancelsTheJob() async throws {
        let error = await lossOfWaitingJob(locks(secondsMax: 60)) { [folder] in
            let name = try #require(try folder.contents.first)
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        #expect(error?.code == .lockLost)
        #expect(error?.message.contains("removed by another process") == true)
    }

    @Test func aMarkThatIsSomebodyElsesCancelsTheJob() async throws {
        let error = await lossOfWaitingJob(locks(secondsMax: 60)) { [folder] in
            let name = try #require(try folder.contents.first)
            _ = try folder.file(name, Array("{}\n".utf8))
        }
        #expect(error?.code == .lockLost)
        #expect(error?.message.contains("removed by another process") == true)
    }

    /// The step is asked for right after the pause, before anything else has noticed it.
    @Test(arguments: [true, false])
    func aMachineThatWasStoppedNoticesBeforeItGoesOn(_ isSleep: Bool) async throws {
        var locks = locks()
        locks.watchPause = .seconds(600)
        let error = await #expect(throws: SnapshotError.self) {
            try await locks.withLock(Self.claim, observer: observer) {
                try RepositoryLocks.checkHeld()
                // No renewal can come between the pause and the look.
                store.state.now = .fails
                if isSleep { clocks.advance(200) } else { clocks.jump(200) }
                try RepositoryLocks.checkHeld()
                Issue.record("it went on")
            }
        }
        #expect(error?.code == .lockLost)
    }

    /// A renewal that succeeds after the pause does not bring the lock back: others may have looked
    /// meanwhile.
    @Test func whatIsLostStaysLost() async throws {
        let error = await lossOfWaitingJob(locks()) { [clocks, store] in
            clocks.advance(200)
            let before = store.state.touchCount
            for _ in 0..<1000 where store.state.touchCount < before + 2 && !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(error?.code == .lockLost)
    }

    @Test func aSlowJobThatRenewsIsLeftAlone() async throws {
        let locks = locks()
        try await locks.withLock(Self.claim, observer: observer) {
            for _ in 0..<20 {
                clocks.advance(50)
                try await RepositoryLocks.confirmHeld()
            }
        }
        #expect(observer.notices == [])
    }

    /// An inner lock is one more, and a job of its own knows nothing of it afterwards.
    @Test func aLockWithinALockIsOneMore() async throws {
        let locks = locks()
        let error = await #expect(throws: SnapshotError.self) {
            try await locks.withLock(Self.claim, observer: observer) {
                try await locks.withLock(Self.claim, observer: observer) {
                    #expect(RepositoryLocks.leases.count == 2)
                }
                #expect(RepositoryLocks.leases.count == 1)
                clocks.advance(200)
                try await locks.withLock(Self.claim, observer: observer) {
                    try RepositoryLocks.checkHeld()
                    Issue.record("it went on")
                }
            }
        }
        #expect(error?.code == .lockLost)
        #expect(RepositoryLocks.leases.isEmpty)
    }

    /// What a job does not say of its loss, it says of what came of it.
    @Test func anErrorThatFollowsTheLossIsNamed() async throws {
        struct Burnt: Error, CustomStringConvertible { var description: String { "burnt" } }
        let locks = locks(secondsMax: 0.1)
        let error = await #expect(throws: SnapshotError.self) {
            try await locks.withLock(Self.claim, observer: observer) {
                store.state.now = .fails
                do {
                    try await Task.sleep(for: .seconds(120))
                } catch {
                    throw Burnt()
                }
            }
        }
        #expect(error?.code == .lockLost)
        #expect(error?.message.contains("burnt") == true)
    }

    @Test func aCancellationIsNoLoss() async throws {
        let task = Task { [locks = locks(secondsMax: 60), observer] in
            try await locks.withLock(Self.claim, observer: observer) {
                try await Task.sleep(for: .seconds(120))
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try folder.contents == [])
    }

    // MARK: What is not done any more

    /// An archive that is all written when the lock is lost is not published.
    @Test func nothingIsPublishedAfterTheLoss() async throws {
        let bytes = try await MadeArchive.cairn([
            MadeArchive.Part("shop.orders", [MadeArchive.made(0..<3)])
        ])
        let damaged = try folder.file("damaged", bytes)
        let destination = ArchiveDestination.repository(store.store)
        for isGone in [true, false] {
            let salvage = Salvage(
                .file(damaged), to: destination,
                options: Salvage.Options(width: 1, temporaryFolder: folder.path),
                environment: MadeArchive.environment,
                observer: LosingObserver { [clocks, folder] in
                    if isGone {
                        for name in (try? folder.contents) ?? [] where name.hasSuffix(".lock") {
                            unlink("\(folder.path)/\(name)")
                        }
                    } else {
                        clocks.advance(200)
                    }
                })
            var locks = locks()
            locks.watchPause = .seconds(600)
            let error = await #expect(throws: SnapshotError.self) {
                try await locks.withLock(Self.claim, observer: observer) {
                    _ = try await salvage.run()
                }
            }
            #expect(error?.code == .lockLost)
            #expect(try folder.contents == ["damaged"])
        }
    }

    @Test func noSnapshotIsRemovedAfterTheLoss() async throws {
        let repository = try await MadeRepository()
        try await repository.add(20_000)
        try await repository.add(20_001)
        let before = try await repository.catalog.list().map(\.key)
        var locks = locks()
        locks.watchPause = .seconds(600)
        let error = await #expect(throws: SnapshotError.self) {
            try await locks.withLock(Self.claim, observer: observer) {
                clocks.advance(200)
                try await repository.catalog.remove(key: before[0])
            }
        }
        #expect(error?.code == .lockLost)
        #expect(try await repository.catalog.list().map(\.key) == before)
    }
}

/// Does something when an archive is about to be published.
private struct LosingObserver: JobObserver {
    let lose: @Sendable () -> Void

    func progressed(_ progress: JobProgress) {
        if progress.phase == .publishing { lose() }
    }

    func noticed(_ message: String) {}
}
