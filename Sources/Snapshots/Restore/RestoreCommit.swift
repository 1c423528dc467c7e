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
    /// neither the old state nor the new.
    ///
    /// - Throws: `CancellationError` before anything is live; `MongoError`, `notEqual`.
    func run() async throws {
        context.observer.progressed(JobProgress(phase: .publishing))
        try Task.checkCancellation()
        let majority = try await MajorityProof(targets, context)
        try await Task {
            var committedCount = 0
            do {
                for rank in Set(targets.map(\.commitRank)).sorted() {
                    try await commit(targets.filter { $0.commitRank == rank }, &committedCount)
                }
            } catch {
                if committedCount > 0 {
                    context.observer.noticed(
                        "\(committedCount) of \(targets.count) namespaces were already replaced "
                            + "when the restore failed; run it again")
                }
                throw error
            }
            try await majority?.complete()
        }.value
    }

    /// Makes targets live that do not depend on each other. After a failure those that had begun
    /// are waited for, so that the count is true.
    private func commit(_ targets: [any RestoreTarget], _ count: inout Int) async throws {
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
            transform: { (target: any RestoreTarget) async throws -> Result<Void, any Error> in
                do { return .success(try await target.commit()) } catch { return .failure(error) }
            },
            deliver: { result in
                switch result {
                case .success: count += 1
                case .failure(let error): failure = failure ?? error
                }
            })
        if let failure { throw failure }
    }
}

/// That a majority of the replica set has what was committed without waiting for one.
private struct MajorityProof: Sendable {
    private let context: RestoreContext
    private let namespace: Namespace
    private let election: BSONDocument?

    /// To be made before the first commit; nil when every target waits by itself.
    init?(_ targets: [any RestoreTarget], _ context: RestoreContext) async throws {
        guard let target = targets.first(where: { !$0.waitsForMajority }) else { return nil }
        self.context = context
        namespace = target.namespace
        election = try await context.pool.withConnection { try await $0.election() }
    }

    /// - Throws: `MongoError`; `notEqual` when the primary has changed meanwhile.
    func complete() async throws {
        let electionNow = try await context.pool.withConnection { connection in
            try await connection.waitForMajority(
                reading: namespace.collection, in: namespace.database)
            return try await connection.election()
        }
        guard election == electionNow else {
            throw SnapshotError(
                .notEqual,
                "another server became primary while collections were put in place, so some may "
                    + "not be; run the restore again")
        }
    }
}
