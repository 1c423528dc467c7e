public import ObjectStorage
internal import Synchronization

/// The locks of a repository: hidden files in it, so that all processes and hosts that use it see
/// them.
///
/// Whoever wants a lock writes its file first and looks at the others then. One that is held by
/// another, and one that was asked for earlier, come first; later ones see this one and withdraw.
/// So of two that exclude each other one gets it, and never both: each was visible before its owner
/// looked, hence at least one of them sees the other, and each waits until those that it saw at
/// first have decided.
public struct RepositoryLocks: Sendable {
    /// How long a process of another host may give no sign of life.
    public static let silenceSecondsMax: Int64 = 5 * 60

    let store: any ObjectStore
    let environment: JobEnvironment
    let owner: OwnerToken
    let heartbeat: Duration
    /// How long others are given, at least, to find out that they come later.
    var decisionSecondsMin = 5.0
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
    /// A job that only reads goes on without where the repository is only for reading.
    ///
    /// - Parameters:
    ///   - waitSeconds: how long it is waited for those who are in the way; 0 for not at all.
    ///   - observer: told of locks that are broken, because their owners are gone.
    /// - Throws: `locked`; `ObjectStorageError`; what `body` throws.
    public func withLock<Result>(
        _ claim: LockClaim, waitSeconds: Double = 0, observer: any JobObserver,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard let lock = try await acquire(claim, waitSeconds, observer) else {
            return try await body()
        }
        do {
            let result = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keepAlive(lock, observer) }
                defer { group.cancelAll() }
                return try await body()
            }
            await release(lock, observer)
            return result
        } catch {
            await release(lock, observer)
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
        observer: any JobObserver, _ body: () async throws -> Void
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

    private func keepAlive(_ lock: RepositoryLock, _ observer: any JobObserver) async throws {
        while true {
            try await Task.sleep(for: heartbeat)
            do {
                try await store.touchMark(lock.name, RepositoryLock.mark)
            } catch let error as ObjectStorageError {
                // What can't be touched now may be later, but for one that is gone.
                guard error.code == .notFound else { continue }
                observer.noticed(
                    "somebody has taken away the lock of this \(lock.claim.operation.rawValue); "
                        + "it goes on")
                return
            }
        }
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
