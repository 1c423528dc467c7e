internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// The last step of a restore: makes everything live that was loaded and compared.
struct RestoreCommit: Sendable {
    let targets: [any RestoreTarget]
    let context: RestoreContext
    private let width: Int

    /// - Parameter width: how many targets are made live at once, where there are connections: some
    ///   targets take a second one while they hold the first, so one must always be left.
    init(_ targets: [any RestoreTarget], width: Int, _ context: RestoreContext) {
        self.targets = targets
        self.context = context
        self.width = max(1, min(width, context.pool.connectionCountMax - 1))
    }

    /// Once begun it is completed in spite of a cancellation: what is left are renames, and half of
    /// them would be neither the old state nor the new. But a server that is away is not waited for
    /// then, and a live collection that is written to document by document, which may take long, is
    /// made again what it was, as long as nothing was deleted.
    ///
    /// - Returns: what became of live documents and definitions, by the target's position; of those
    ///   whose documents were all loaded before, nothing.
    /// - Throws: `CancellationError` before anything is live; `MongoError`, `notEqual`.
    func run() async throws -> [Int: LoadOutcome] {
        context.observer.progressed(JobProgress(phase: .publishing))
        try Task.checkCancellation()
        let majority = try await MajorityProof(targets, context)
        try await RepositoryLocks.confirmHeld()
        return try await withTaskCancellationHandler {
            try await commitAll(majority)
        } onCancel: {
            context.cancellation.note()
            context.endurance.stopWaiting()
        }
    }

    private func commitAll(_ majority: MajorityProof?) async throws -> [Int: LoadOutcome] {
        try await uncancelled {
            var progress = Progress()
            let ranks = Set(targets.map(\.commitRank)).sorted()
            for rank in ranks where rank < AuthorizationTarget.commitRankMin {
                try await commit(rank, &progress)
            }
            try await majority?.complete()
            for rank in ranks where rank >= AuthorizationTarget.commitRankMin {
                try await commit(rank, &progress)
            }
            return progress.outcomes
        }
    }

    private struct Progress: Sendable {
        var committedCount = 0
        var outcomes: [Int: LoadOutcome] = [:]
    }

    /// What servers say of a view that would be made of itself, or of one with another collation.
    private static let viewConflicts: Set<Int> = [5, 167]

    /// Makes targets live that do not depend on each other, but for views: one may be made of
    /// another that is only changed later, and until then be in the way. It is tried again as long
    /// as others could be changed, and once after those that are left were dropped.
    private func commit(_ rank: Int, _ progress: inout Progress) async throws {
        var waiting = targets.indices.filter { targets[$0].commitRank == rank }
        var areDropped = false
        while !waiting.isEmpty {
            let count = progress.committedCount
            let failures = try await tryCommit(waiting, &progress)
            guard let first = failures.min(by: { $0.key < $1.key }) else { return }
            let areConflicts = failures.values.allSatisfy { error in
                (error as? MongoError)?.serverCode.map(Self.viewConflicts.contains) ?? false
            }
            let isStuck = progress.committedCount == count
            guard areConflicts, !isStuck || !areDropped else { throw first.value }
            waiting = failures.keys.sorted()
            guard isStuck else { continue }
            for position in waiting {
                try RepositoryLocks.checkHeld()
                try await targets[position].makeRoom()
            }
            areDropped = true
        }
    }

    /// After a failure those that had begun are waited for, so that what is said of them is true.
    ///
    /// - Returns: the errors, by the target's position.
    private func tryCommit(
        _ positions: [Int], _ progress: inout Progress
    ) async throws -> [Int: any Error] {
        typealias Committed = (position: Int, result: Result<LoadOutcome?, any Error>)
        var waiting = positions[...]
        var failures: [Int: any Error] = [:]
        try await withOrderedWindow(
            width: width,
            next: {
                let mayFail = waiting.first.map { targets[$0].commitRank == 1 } ?? false
                guard failures.isEmpty || mayFail, let position = waiting.popFirst() else {
                    return nil
                }
                context.observer.progressed(
                    JobProgress(
                        phase: .publishing, subject: targets[position].namespace.description,
                        isCommit: true))
                return position
            },
            transform: { (position: Int) async throws -> Committed in
                let target = targets[position]
                do {
                    try RepositoryLocks.checkHeld()
                    let outcome = try await target.commit()
                    // A merge has written before, and its documents are not the snapshot's alone.
                    if target.replacesLive { context.changes.note(target.namespace) }
                    return (position, .success(outcome))
                } catch {
                    return (position, .failure(error))
                }
            },
            deliver: { (committed: Committed) in
                switch committed.result {
                case .success(let outcome):
                    progress.committedCount += 1
                    progress.outcomes[committed.position] = outcome
                case .failure(let error): failures[committed.position] = error
                }
            })
        return failures
    }
}

/// That a majority of the replica set has the small collections, whose renames wait for none.
private struct MajorityProof: Sendable {
    private static let attemptCountMax = 3

    private let context: RestoreContext
    private let targets: [SmallCollection]
    private let namespace: Namespace
    /// Identities of the staging collections.
    private let uuids: [Namespace: [UInt8]]

    /// To be made before the first commit; nil when every target waits by itself.
    init?(_ targets: [any RestoreTarget], _ context: RestoreContext) async throws {
        self.context = context
        self.targets = targets.compactMap(\.small)
        guard let first = self.targets.first else { return nil }
        namespace = first.readable
        uuids = try await Self.uuids(self.targets, context)
    }

    private static func uuids(
        _ targets: [SmallCollection], _ context: RestoreContext
    ) async throws -> [Namespace: [UInt8]] {
        var uuids: [Namespace: [UInt8]] = [:]
        for database in Set(targets.map(\.namespace.database)) {
            let collections = try await context.endurance.run { _ in
                try await LiveCatalog.collections(context.pool, database)
            }
            for (namespace, info) in collections { uuids[namespace] = info.uuid }
        }
        return uuids
    }

    /// A primary that has lost its place may have lost renames with it: those are done again.
    ///
    /// - Throws: `MongoError`; `notEqual` when primaries change all the time.
    func complete() async throws {
        for _ in 1...Self.attemptCountMax {
            try await context.waitForMajority(reading: namespace)
            _ = try await context.isBroken()
            let found = try await Self.uuids(targets, context)
            let lost = targets.filter { target in
                found[target.namespace] == nil
                    || found[target.namespace] != uuids[target.ordinary.staging]
            }
            if context.keeping == nil {
                for target in lost {
                    try RepositoryLocks.checkHeld()
                    try await target.commitAnew()
                }
            } else if !lost.isEmpty {
                break
            }
            try await context.waitForMajority(reading: namespace)
            if try await !context.isBroken() { return }
        }
        throw SnapshotError(
            .notEqual,
            "another server became primary while collections were put in place, so some may "
                + "not be; run the restore again")
    }
}
