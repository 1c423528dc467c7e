internal import ObjectStorage

/// Removes the snapshots of a repository that a policy no longer wants: lock → plan → remove one by
/// one.
public struct Retention: Sendable {
    /// What was done, or would be.
    public struct Report: Sendable {
        /// For each snapshot, newest first.
        public var decisions: [RetentionDecision]
        /// Bytes of those that were removed, or would be.
        public var freedByteCount: UInt64 = 0
        /// Those that were to go and could not be removed.
        public var failures: [Failure] = []
        public var isDryRun: Bool

        /// Snapshots that were removed, or would be; newest first.
        public var removed: [RetentionDecision] {
            let failed = Set(failures.map(\.id))
            return decisions.filter { $0.action == .remove && !failed.contains($0.id) }
        }

        /// Snapshots that stay; newest first.
        public var kept: [RetentionDecision] { decisions.filter { $0.action == .keep } }
    }

    /// A snapshot that could not be removed, and why.
    public struct Failure: Sendable {
        public let id: SnapshotID
        public let message: String
    }

    private let catalog: SnapshotCatalog
    private let policy: RetentionPolicy
    private let locks: RepositoryLocks
    private let environment: JobEnvironment
    private let observer: any JobObserver
    private let removed: @Sendable (SnapshotID) -> Void

    /// - Parameters:
    ///   - locks: of the catalog's repository.
    ///   - removed: told of each snapshot as soon as it is gone, however all of it ends.
    public init(
        _ catalog: SnapshotCatalog, _ policy: RetentionPolicy, locks: RepositoryLocks,
        environment: JobEnvironment, observer: any JobObserver,
        removed: @escaping @Sendable (SnapshotID) -> Void = { _ in }
    ) {
        self.removed = removed
        self.catalog = catalog
        self.policy = policy
        self.locks = locks
        self.environment = environment
        self.observer = observer
    }

    /// What is to become of each snapshot, newest first. Pure.
    public static func plan(
        _ overviews: [SnapshotCatalog.Overview], _ policy: RetentionPolicy, now: Int64,
        inUse: Set<SnapshotID>
    ) -> [RetentionDecision] {
        RetentionPlan(overviews, policy, now: now, inUse: inUse).decisions
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - isDryRun: whether nothing is removed, nor locked.
    ///   - waitSeconds: how long it is waited for another that decides which snapshots go.
    /// - Throws: `usage`, `locked`; `ObjectStorageError`, `CancellationError`: what was removed
    ///   until then stays removed.
    public func run(isDryRun: Bool, waitSeconds: Double = 0) async throws -> Report {
        try policy.check()
        guard !isDryRun else {
            var report = Report(decisions: try await decide(), isDryRun: true)
            report.freedByteCount = report.removed.reduce(0) { $0 + $1.overview.storedByteCount }
            return report
        }
        return try await locks.withLock(
            .administration(.prune), waitSeconds: waitSeconds, observer: observer
        ) {
            var report = Report(decisions: try await decide(), isDryRun: false)
            for position in report.decisions.indices.reversed()
            where report.decisions[position].action == .remove {
                try Task.checkCancellation()
                try await remove(position, &report)
            }
            try RepositoryLocks.checkHeld()
            try await catalog.removeOrphans()
            return report
        }
    }

    private func decide() async throws -> [RetentionDecision] {
        Self.plan(
            try await catalog.overviews(), policy, now: environment.now(),
            inUse: try await locks.snapshotsInUse())
    }

    /// Removes one, unless a job has begun to use it.
    private func remove(_ position: Int, _ report: inout Report) async throws {
        let decision = report.decisions[position]
        do {
            try await locks.removing(decision.id, as: .prune, observer: observer) {
                try await catalog.remove(key: decision.overview.key)
            }
            removed(decision.id)
            report.freedByteCount += decision.overview.storedByteCount
        } catch let error as SnapshotError where error.code == .locked {
            report.decisions[position].action = .keep
            report.decisions[position].reasons.append(
                .init(code: .inUse, sentence: "in use: \(error.message)"))
        } catch let error as ObjectStorageError where error.code == .notFound {
            // Somebody else was faster.
        } catch let error as ObjectStorageError {
            report.failures.append(Failure(id: decision.id, message: error.summary))
        }
    }
}

extension SnapshotCatalog {
    /// Removes what was kept beside snapshots that are no more.
    func removeOrphans() async throws {
        let keys = Set(try await store.list().map(\.key))
        for mark in try await store.marks(Verification.mark) where !keys.contains(mark.key) {
            try await store.removeMark(mark.key, Verification.mark)
        }
    }
}
