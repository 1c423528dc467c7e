internal import ObjectStorage

/// Removes one snapshot of a repository.
public struct SnapshotRemoval: Sendable {
    /// What was removed.
    public struct Report: Sendable {
        public var id: SnapshotID
        public var freedByteCount: UInt64
    }

    private let catalog: SnapshotCatalog
    private let locks: RepositoryLocks
    private let observer: any JobObserver

    /// - Parameter locks: of the catalog's repository.
    public init(
        _ catalog: SnapshotCatalog, locks: RepositoryLocks, observer: any JobObserver
    ) {
        self.catalog = catalog
        self.locks = locks
        self.observer = observer
    }

    /// Removes it.
    ///
    /// - Parameters:
    ///   - isForced: also when it is the last that is known to be whole; a job that uses it is
    ///     never overridden.
    ///   - waitSeconds: how long it is waited for who uses it.
    /// - Throws: `notFound`, `locked`, `lastVerified`; `ObjectStorageError`.
    public func run(
        _ id: SnapshotID, isForced: Bool, waitSeconds: Double = 0
    ) async throws -> Report {
        try await locks.withLock(
            .administration(.delete), waitSeconds: waitSeconds, observer: observer
        ) {
            let overviews = try await catalog.overviews()
            guard let overview = overviews.first(where: { $0.id == id }) else {
                throw SnapshotCatalog.notFound(id.description)
            }
            let floor = RetentionPlan.floor(of: overviews)
            guard isForced || overview.key != floor?.key else {
                let why =
                    overview.isVerified
                    ? "the newest snapshot that was verified"
                    : "the newest snapshot that seems whole, and none was verified"
                throw SnapshotError(
                    .lastVerified, "\(id) is \(why)")
            }
            try await locks.removing(
                id, as: .delete, waitSeconds: waitSeconds, observer: observer
            ) {
                try await catalog.remove(key: overview.key)
            }
            return Report(id: id, freedByteCount: overview.storedByteCount)
        }
    }
}
