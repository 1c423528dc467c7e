internal import Glibc
internal import ObjectStorage
internal import Synchronization

/// A time, by clocks that go on while the machine sleeps.
struct LockTime: Sendable {
    /// Seconds since the machine was started, its sleep included (`CLOCK_BOOTTIME`).
    var sinceBoot: Double
    /// Seconds since 1970 UTC: the only one that goes on while a virtual machine is stopped.
    var sinceEpoch: Double

    /// Now.
    static var now: LockTime {
        LockTime(sinceBoot: seconds(CLOCK_BOOTTIME), sinceEpoch: seconds(CLOCK_REALTIME))
    }

    /// How much later it is, by whichever of the clocks says more: one that was set ahead makes a
    /// lock look silent to others as well.
    func seconds(since earlier: LockTime) -> Double {
        max(sinceBoot - earlier.sinceBoot, sinceEpoch - earlier.sinceEpoch)
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// What a process knows of a lock that it holds: since when it was certainly not renewed, and
/// whether it is lost. Lost once, it stays lost.
final class LockLease: Sendable {
    private struct State {
        var renewedAt: LockTime
        /// Why the last renewal failed; nil when it did not.
        var trouble: String?
        var loss: SnapshotError?
    }

    private let lock: RepositoryLock
    private let store: any ObjectStore
    private let observer: any JobObserver
    private let secondsMax: Double
    private let now: @Sendable () -> LockTime
    private let state: Mutex<State>

    /// - Parameters:
    ///   - renewedAt: before the lock's file was written last.
    ///   - secondsMax: how long it may go without being renewed.
    init(
        _ lock: RepositoryLock, renewedAt: LockTime, secondsMax: Double,
        now: @escaping @Sendable () -> LockTime, _ store: any ObjectStore,
        _ observer: any JobObserver
    ) {
        self.lock = lock
        self.store = store
        self.observer = observer
        self.secondsMax = secondsMax
        self.now = now
        state = Mutex(State(renewedAt: renewedAt))
    }

    /// Why it is lost; nil while it is held.
    var loss: SnapshotError? {
        do {
            try check()
            return nil
        } catch {
            return error
        }
    }

    /// Whether the last renewal failed.
    var isInTrouble: Bool { state.withLock { $0.trouble != nil } }

    /// - Throws: `lockLost` when it was taken away, or was not renewed for so long that others may
    ///   soon take its owner for dead.
    func check() throws(SnapshotError) {
        try state.withLock { state throws(SnapshotError) in
            if let loss = state.loss { throw loss }
            let seconds = now().seconds(since: state.renewedAt)
            guard seconds > secondsMax else { return }
            let reason = state.trouble ?? "the machine was stopped, or the repository hangs"
            let date = CalendarDate(milliseconds: Int64(state.renewedAt.sinceEpoch * 1000))
            let loss = error("was last renewed at \(date), \(Int(seconds)) s ago (\(reason))")
            state.loss = loss
            throw loss
        }
    }

    /// Renews it, if it is still there and still this one. What can't be renewed now may be later.
    func renew() async {
        let start = now()
        do {
            guard let text = try await store.readMark(lock.name, RepositoryLock.mark),
                text == (try lock.text) + RepositoryLock.heldLine
            else { return lose() }
            try await store.touchMark(lock.name, RepositoryLock.mark)
            state.withLock { state in
                state.trouble = nil
                // Counted from before: nobody knows when between then and now it happened.
                if state.loss == nil, now().seconds(since: state.renewedAt) <= secondsMax {
                    state.renewedAt = start
                }
            }
        } catch let error as ObjectStorageError where error.code == .notFound {
            lose()
        } catch {
            failed((error as? ObjectStorageError)?.summary ?? "\(error)")
        }
    }

    private func failed(_ reason: String) {
        let isNew = state.withLock { state in
            defer { state.trouble = reason }
            return state.trouble == nil
        }
        guard isNew else { return }
        observer.noticed(
            "the lock of this \(lock.claim.operation.rawValue) can't be renewed: \(reason); it is "
                + "tried again, and the job is cancelled unless that succeeds within "
                + "\(Int(secondsMax)) s of the last time")
    }

    private func lose() {
        state.withLock { state in
            state.loss = state.loss ?? error("was removed by another process")
        }
    }

    private func error(_ what: String) -> SnapshotError {
        SnapshotError(
            .lockLost,
            "lock lost: the lock of this \(lock.claim.operation.rawValue) in the repository "
                + "\(what), so others may have begun to work on the same; nothing was published, "
                + "replaced or removed since; check the repository's disk, network and clock, and "
                + "run it again")
    }
}

extension RepositoryLocks {
    /// Locks that the current task works under.
    @TaskLocal static var leases: [LockLease] = []

    /// To be called before each step that must not be made once a lock is lost; cheap.
    ///
    /// - Throws: `lockLost`.
    static func checkHeld() throws {
        for lease in leases { try lease.check() }
    }

    /// The same before a step that can't be taken back: the repository is asked, too.
    ///
    /// - Throws: `lockLost`, `CancellationError`.
    static func confirmHeld() async throws {
        for lease in leases {
            try lease.check()
            // Not waited for when the task is cancelled: a store that hangs may never answer.
            let (end, continuation) = AsyncStream.makeStream(of: Void.self)
            Task {
                await lease.renew()
                continuation.finish()
            }
            for await _ in end {}
            try lease.check()
        }
        try Task.checkCancellation()
    }

    /// Runs `body` until it ends; cancels it when the lock is lost.
    ///
    /// - Throws: `lockLost`; what `body` throws.
    func hold<Result>(
        _ lease: LockLease, _ body: @escaping () async throws -> Result
    ) async throws -> Result {
        // By itself, not one of the group: a renewal that hangs for good is not waited for.
        let renewal = Task { await keepRenewing(lease) }
        defer { renewal.cancel() }
        // Used by one task, the group's child, which this one waits for.
        nonisolated(unsafe) let work = body
        return try await withThrowingTaskGroup(of: Handed<Result>?.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await RepositoryLocks.$leases.withValue(RepositoryLocks.leases + [lease]) {
                    Handed(try await work())
                }
            }
            group.addTask {
                await watch(lease)
                return nil
            }
            while let outcome = await group.nextResult() {
                switch outcome {
                case .success(let result?): return result.value
                case .success(nil): if lease.loss != nil { group.cancelAll() }
                case .failure(let error): throw Self.cause(of: error, lease.loss)
                }
            }
            throw CancellationError()
        }
    }

    private func keepRenewing(_ lease: LockLease) async {
        while true {
            do {
                try await Task.sleep(for: lease.isInTrouble ? heartbeat / 6 : heartbeat)
            } catch {
                return
            }
            await lease.renew()
        }
    }

    /// Returns when the lock is lost or the task is cancelled.
    private func watch(_ lease: LockLease) async {
        do {
            while true {
                try lease.check()
                try await Task.sleep(for: watchPause)
            }
        } catch {
            return
        }
    }

    /// What a job has ended with after its lock was lost.
    private static func cause(of error: any Error, _ loss: SnapshotError?) -> any Error {
        guard let loss else { return error }
        if error is CancellationError || (error as? SnapshotError)?.code == .lockLost {
            return loss
        }
        return SnapshotError(.lockLost, "\(loss.message); it ended with: \(error)")
    }
}

/// What one task has made and another, which waits for it, takes over.
private struct Handed<Value>: @unchecked Sendable {
    // Used by one task at a time.
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
