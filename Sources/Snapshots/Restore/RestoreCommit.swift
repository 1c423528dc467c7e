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

    /// Once begun it is not cancelled any more: what is left are renames, and half of them would be
    /// neither the old state nor the new. But a server that is away is not waited for then.
    ///
    /// - Throws: `CancellationError` before anything is live; `MongoError`, `notEqual`.
    func run() async throws {
        context.observer.progressed(JobProgress(phase: .publishing))
        try Task.checkCancellation()
        let majority = try await MajorityProof(targets, context)
        try await RepositoryLocks.confirmHeld()
        try await withTaskCancellationHandler {
            try await commitAll(majority)
        } onCancel: {
            context.endurance.stopWaiting()
        }
    }

    private func commitAll(_ majority: MajorityProof?) async throws {
        try await Task {
            for rank in Set(targets.map(\.commitRank)).sorted() {
                try await commit(targets.filter { $0.commitRank == rank })
            }
            try await majority?.complete()
        }.value
    }

    /// Makes targets live that do not depend on each other. After a failure those that had begun
    /// are waited for, so that what is said of them is true.
    private func commit(_ targets: [any RestoreTarget]) async throws {
        var waiting = targets[...]
        var failure: (any Error)?
        try await withOrderedWindow(
            width: width,
            next: {
                guard failure == nil, let target = waiting.popFirst() else { return nil }
                context.observer.progressed(
                    JobProgress(phase: .publishing, subject: target.namespace.description))
                return target
            },
            transform: { (target: any RestoreTarget) async throws -> (any Error)? in
                do {
                    try RepositoryLocks.checkHeld()
                    try await target.commit()
                } catch {
                    return error
                }
                // A merge has written before, and its documents are not the snapshot's alone.
                if target.replacesLive { context.changes.note(target.namespace) }
                return nil
            },
            deliver: { failure = failure ?? $0 })
        if let failure { throw failure }
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
        self.targets = targets.compactMap { $0 as? SmallCollection }
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
                try await SourceCatalog.collections(context.pool, database)
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
