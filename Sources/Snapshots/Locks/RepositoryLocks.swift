public import ObjectStorage
internal import Synchronization

/// The locks of a repository: hidden files in it, so that all processes and hosts that use it see
/// them.
///
/// Why no two that exclude each other work at once:
/// 1. Whoever wants a lock writes its file first and looks at the others then. One that is held by
///    another, and one that was asked for earlier, come first; later ones see this one and
///    withdraw. So of two that exclude each other one gets it, and never both: each was visible
///    before its owner looked, hence at least one of them sees the other, and each waits until
///    those that it saw at first have decided.
/// 2. A lock is broken by others only when its owner is known to be dead, or when its file was not
///    written for `silenceSecondsMax`, by the file system's clock. Its owner touches it every
///    `heartbeat`, and counts from before the last time that certainly succeeded. After
///    `renewalSecondsMax`, less than half of that, or as soon as the file is found to be gone or
///    not its own, the lock is lost for good and the job is cancelled: a touch that fails, hangs or
///    was never made because the machine slept are all the same. The rest of the silence is for
///    what was under way then.
/// 3. A job that runs again after a pause may not know yet that it is cancelled. So before each
///    batch that it writes to a server, each collection that it puts in place, each snapshot that
///    it publishes or removes, the clocks are looked at (`checkHeld`), and before publishing,
///    putting in place and removing begin the file, too (`confirmHeld`). The clocks are those that
///    go on while a machine sleeps, and wall time for one that was stopped from outside.
///
/// What remains is a process that stops between such a look and the step itself, for longer than
/// the rest of the silence.
public struct RepositoryLocks: Sendable {
    /// How long a process of another host may give no sign of life.
    public static let silenceSecondsMax: Int64 = 5 * 60
    /// How long a lock may go without being renewed before its job is cancelled.
    public static let renewalSecondsMax: Int64 = 2 * 60

    let store: any ObjectStore
    let environment: JobEnvironment
    let owner: OwnerToken
    let heartbeat: Duration
    /// How long others are given, at least, to find out that they come later.
    var decisionSecondsMin = 5.0
    /// How long a lock may go without being renewed.
    var secondsMax = Double(Self.renewalSecondsMax)
    /// How often it is looked whether that is over.
    var watchPause = Duration.seconds(1)
    /// How long the removal of a lost lock's file is waited for.
    var releasePatience = Duration.seconds(10)
    /// The clocks that locks are renewed by.
    var now: @Sendable () -> LockTime = { .now }
    /// Snapshots that jobs of this process will need, which wait for their turn and hold no lock
    /// yet.
    private let neededSoon: @Sendable () async throws -> Set<SnapshotID>

    /// Those of this process that are asked for or held: it may live on after one has ended whose
    /// file could not be removed.
    private static let active = Mutex<Set<String>>([])
    /// Locks that were asked for so far.
    private static let askedCount = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - owner: this process, but for tests.
    ///   - heartbeat: how often a held lock gives a sign of life.
    ///   - neededSoon: snapshots that jobs of this process will need, which wait for their turn and
    ///     hold no lock yet; they are not removed through these locks.
    public init(
        _ store: any ObjectStore, environment: JobEnvironment, owner: OwnerToken = .current,
        heartbeat: Duration = .seconds(30),
        neededSoon: @escaping @Sendable () async throws -> Set<SnapshotID> = { [] }
    ) {
        self.neededSoon = neededSoon
        self.store = store
        self.environment = environment
        self.owner = owner
        self.heartbeat = heartbeat
    }

    /// Runs `body` while the lock is held.
    ///
    /// A job that only reads continues without where the repository is only for reading. When the
    /// lock is lost, `body` is cancelled.
    ///
    /// - Parameters:
    ///   - waitSeconds: how long it is waited for those who are in the way; 0 for not at all.
    ///   - observer: told of locks that are broken, because their owners are gone.
    /// - Throws: `locked`, `lockLost`; `ObjectStorageError`; what `body` throws.
    public func withLock<Result>(
        _ claim: LockClaim, waitSeconds: Double = 0, observer: any JobObserver,
        _ body: @escaping () async throws -> Result
    ) async throws -> Result {
        guard let (lock, time) = try await acquire(claim, waitSeconds, observer) else {
            return try await body()
        }
        let lease = LockLease(
            lock, renewedAt: time, secondsMax: secondsMax, now: now, store, observer)
        do {
            let result = try await hold(lease, body)
            await release(lock, observer)
            return result
        } catch {
            if lease.loss == nil {
                await release(lock, observer)
            } else {
                await releaseLost(lock, observer)
            }
            throw error
        }
    }

    /// All that are asked for or held by processes that may be alive.
    ///
    /// - Throws: `ObjectStorageError`.
    public func list() async throws -> [RepositoryLock] {
        try await look(nowSeconds: environment.now() / 1000).compactMap { sight in
            if case .lock(let lock) = sight { return lock }
            return nil
        }
    }

    /// Snapshots that somebody needs.
    ///
    /// - Throws: `ObjectStorageError`; what tells of waiting jobs may throw.
    public func snapshotsInUse() async throws -> Set<SnapshotID> {
        try await list().reduce(into: try await neededSoon()) { $0.formUnion($1.claim.uses) }
    }

    /// Runs `body`, which removes a snapshot, while nobody uses it nor can begin to.
    ///
    /// - Throws: `locked`; `ObjectStorageError`; what `body` throws.
    func removing(
        _ id: SnapshotID, as operation: LockClaim.Operation, waitSeconds: Double = 0,
        observer: any JobObserver, _ body: @escaping () async throws -> Void
    ) async throws {
        // Before, for a lock would be in the way of the job that needs it; and again, for one may
        // have been asked for meanwhile.
        try await checkNotNeeded(id)
        try await withLock(
            .removal(of: id, as: operation), waitSeconds: waitSeconds, observer: observer
        ) {
            try await checkNotNeeded(id)
            try await body()
        }
    }

    private func checkNotNeeded(_ id: SnapshotID) async throws {
        guard try await neededSoon().contains(id) else { return }
        throw SnapshotError(.locked, "a job that waits for its turn uses the snapshot \(id)")
    }

    // MARK: Holding

    /// Removes the file of a lost lock, if that can be done soon: what hung before may hang now.
    private func releaseLost(_ lock: RepositoryLock, _ observer: any JobObserver) async {
        Self.active.withLock { _ = $0.remove(lock.name) }
        let (end, continuation) = AsyncStream.makeStream(of: Void.self)
        Task {
            await release(lock, observer)
            continuation.finish()
        }
        let timeout = Task { [releasePatience] in
            do { try await Task.sleep(for: releasePatience) } catch { return }
            continuation.finish()
        }
        for await _ in end {}
        timeout.cancel()
    }

    func release(_ lock: RepositoryLock, _ observer: any JobObserver) async {
        do {
            try await store.removeMark(lock.name, RepositoryLock.mark)
        } catch {
            let reason = (error as? ObjectStorageError)?.summary ?? "\(error)"
            observer.noticed("a lock could not be removed: \(reason)")
        }
        Self.active.withLock { _ = $0.remove(lock.name) }
    }

    /// A name that no other lock has, whatever the dice say.
    func makeName() -> String {
        let number = Self.askedCount.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(owner).\(number)-\(String(environment.random(), radix: 16))"
    }

    /// Makes the file of a lock that is asked for.
    func write(_ lock: RepositoryLock) async throws {
        Self.active.withLock { _ = $0.insert(lock.name) }
        do {
            try await store.writeMark(try lock.text, lock.name, RepositoryLock.mark)
        } catch {
            Self.active.withLock { _ = $0.remove(lock.name) }
            throw error
        }
    }

    // MARK: Looking at others

    /// A lock as another process finds it.
    enum Sight {
        case lock(RepositoryLock)
        /// Its owner is gone.
        case stale(name: String, RepositoryLock?)
        /// Of a later version, or damaged; its owner may be alive.
        case unknown(name: String)
    }

    /// Looks at all locks.
    ///
    /// - Parameter nowSeconds: by the repository's file system; nil to take it from the newest.
    func look(nowSeconds: Int64) async throws -> [Sight] {
        var sights: [Sight] = []
        for mark in try await store.marks(RepositoryLock.mark) {
            guard let text = try await store.readMark(mark.key, RepositoryLock.mark) else {
                continue
            }
            let lock = Self.lock(mark, text)
            if isStale(mark, nowSeconds) {
                sights.append(.stale(name: mark.key, lock))
            } else {
                sights.append(lock.map { .lock($0) } ?? .unknown(name: mark.key))
            }
        }
        return sights
    }

    private static func lock(_ mark: StoredObject, _ text: [UInt8]) -> RepositoryLock? {
        guard let owner = RepositoryLock.owner(ofName: mark.key) else { return nil }
        do {
            return try RepositoryLock(
                name: mark.key, owner: owner, text: text,
                heartbeatSeconds: mark.modifiedAtSeconds)
        } catch {
            return nil
        }
    }

    private func isStale(_ mark: StoredObject, _ nowSeconds: Int64) -> Bool {
        let isSilent = nowSeconds - mark.modifiedAtSeconds > Self.silenceSecondsMax
        guard let owner = RepositoryLock.owner(ofName: mark.key) else { return isSilent }
        switch owner.state {
        case .dead: return true
        case .elsewhere: return isSilent
        case .alive:
            return owner == .current && !Self.active.withLock { $0.contains(mark.key) }
        }
    }
}
