internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Replays the entries of an archive's oplog on what a restore has loaded beside the live data, so
/// that all of it is as it was at one instant before any of it is live. Used by one task.
///
/// The documents are of different instants, so that many of them have seen some of the entries
/// already. Each entry is applied all the same, in order, as a server does that follows another: an
/// insert replaces, a change of what is missing makes something that a later entry deletes (else it
/// would not be missing), a delete of what is missing does nothing. After the last entry nothing is
/// left of that. Indexes come afterwards, for a unique one would refuse what is there for a while.
///
/// What isn't understood ends the replay, and the restore before anything of it is live.
///
/// Memory: a batch; of an archive without an index also the entries of transactions that are not
/// committed yet, up to `OplogTransactions.heldByteCountMax`.
final class OplogReplay {
    /// The most that is sent to the server at once.
    private static let batchByteCountMax = 4 * 1024 * 1024
    private static let batchOperationCountMax = 1000

    /// What servers say that have no such command: routers of sharded clusters.
    private static let commandNotFound = 59

    private let context: RestoreContext
    private let rules: OplogRules
    private var catalog: ReplayedCatalog
    private var transactions: OplogTransactions
    private var batch: [BSONDocument] = []
    private var batchByteCount = 0
    private var entryCount: UInt64 = 0

    /// - Parameter survey: what the oplog was found to be like; nil when it was not read before.
    init(_ plan: RestorePlan, _ context: RestoreContext, _ survey: OplogSurvey?) {
        self.context = context
        rules = OplogRules(for: context.server)
        transactions = OplogTransactions(completed: survey?.completed)
        catalog = ReplayedCatalog(plan, context)
    }

    /// What there is now, to be abandoned when the restore fails.
    var targets: [any RestoreTarget] { catalog.collections.all.map(\.target) + catalog.remade }

    /// Finds out, before hours of loading, whether the user may replay at all. A server looks at
    /// what the user may do to all of the collections first, and only then at whether they exist.
    ///
    /// - Parameter database: one that is restored.
    /// - Throws: `unsupported`.
    func checkPermission(in database: String) async throws {
        let nowhere = StagingPlace(in: database).namespace
        let operations = [OplogEntry.Kind.update, .delete].map { kind in
            BSONDocument {
                let id = BSONDocument { $0.append("_id", Int32(0)) }
                $0.append("op", kind.rawValue)
                $0.append("ns", nowhere.description)
                $0.append("o", id)
                if kind == .update { $0.append("o2", id) }
            }
        }
        do {
            try await context.pool.withConnection { connection in
                try await connection.applyOperations(
                    operations, bypassingValidation: bypassesValidators)
            }
        } catch let error as MongoError
            where error.code == .unauthorized || error.serverCode == Self.commandNotFound
        {
            throw SnapshotError(
                .unsupported,
                "the archive has an oplog, which can only be replayed by a user who may write in "
                    + "any database (role readWriteAnyDatabase), and not through a router; "
                    + "--no-oplog leaves it out, and what comes back is not of one instant: "
                    + "\(error)")
        } catch let error as MongoError
            where error.code == .command || error.code == .namespaceNotFound
        {
            // There is no such collection, as was to be expected.
            return
        }
    }

    /// Replays entries.
    ///
    /// - Parameter entries: whole documents, one after another.
    /// - Throws: `unsupported` for an entry that can't be replayed; `MongoError`, `BSONError`.
    func apply(_ entries: ArraySlice<UInt8>) async throws {
        for document in try DocumentRun.split(entries) {
            try Task.checkCancellation()
            do {
                let entry = try OplogEntry(whole: document)
                try rules.check(entry)
                try await apply(entry)
            } catch let refusal as OplogRefusal {
                throw SnapshotError(refusal)
            }
            entryCount += 1
        }
        context.observer.progressed(
            JobProgress(phase: .replaying, subject: "\(entryCount) changes"))
    }

    /// Applies what is left; what transactions did that were not committed by then is forgotten.
    ///
    /// - Returns: what is to be put in place.
    func finish() async throws -> Restored {
        try await flush()
        return try await catalog.finish(replayedCount: entryCount)
    }

    private func apply(_ entry: OplogEntry) async throws {
        guard OplogDisposition.operations[entry.kindText] == .applied, let kind = entry.kind else {
            return
        }
        guard kind == .command else { return try await change(entry) }
        guard let command = try entry.command,
            OplogDisposition.commands[command.name] == .applied
        else { return }
        switch command.name {
        case "applyOps": try await apply(transactions.take(entry))
        case "commitTransaction": try await apply(transactions.commit(entry))
        case "abortTransaction": transactions.abort(entry)
        default:
            try await flush()
            try await catalog.apply(entry, command)
        }
    }

    private func apply(_ operations: [OplogEntry]) async throws {
        for operation in operations { try await apply(operation) }
    }

    /// A change of one document.
    private func change(_ entry: OplogEntry) async throws {
        if entry.namespace.collection == "system.views" {
            try await catalog.stageViews(of: entry.namespace.database)
        }
        guard let staging = catalog.staging(of: entry) else { return }
        if entry.kind == .insert, !context.server.keepsEmptyTimestamps,
            try DocumentRun.hasEmptyTimestamp(entry.object.bytes[...])
        {
            return try await insertExactly(entry, staging)
        }
        // Not by its shard key, which it need not have yet.
        let target = entry.kind == .update ? try entry.target?.first("_id") : nil
        let operation = BSONDocument {
            $0.append("op", entry.kindText)
            $0.append("ns", staging.description)
            $0.append("o", entry.object)
            if let target { $0.append("o2", BSONDocument { $0.append("_id", target) }) }
        }
        try await append(operation)
    }

    /// Where the server would put the time in place of an empty timestamp.
    private func insertExactly(_ entry: OplogEntry, _ staging: Namespace) async throws {
        let id = try entry.object.require("_id") { $0 }
        try await append(
            BSONDocument {
                $0.append("op", OplogEntry.Kind.delete.rawValue)
                $0.append("ns", staging.description)
                $0.append("o", BSONDocument { $0.append("_id", id) })
            })
        try await flush()
        let inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: true,
            bypassesValidation: context.allows("bypassDocumentValidation", on: staging))
        _ = try await inserter.load(entry.object.bytes[...], of: entry.namespace)
    }

    private func append(_ operation: BSONDocument) async throws {
        if batchByteCount + operation.bytes.count > Self.batchByteCountMax { try await flush() }
        batch.append(operation)
        batchByteCount += operation.bytes.count
        if batch.count == Self.batchOperationCountMax { try await flush() }
    }

    private func flush() async throws {
        guard !batch.isEmpty else { return }
        let operations = batch
        (batch, batchByteCount) = ([], 0)
        try await context.pool.withConnection { connection in
            try await connection.applyOperations(
                operations, bypassingValidation: bypassesValidators)
        }
    }

    /// Whether the user may write past the validators of all collections that are replayed on.
    private var bypassesValidators: Bool {
        context.privileges.allows(Privilege("bypassDocumentValidation", on: .anyCollection))
    }
}

/// What a restore puts in place.
struct Restored: Sendable {
    var targets: [any RestoreTarget]
    /// Of each target, its position in the plan; nil for one that was made by the oplog.
    private let origins: [Int?]
    private let replayedCount: UInt64?

    /// All of a plan, without an oplog.
    init(_ plan: RestorePlan) {
        targets = plan.targets
        origins = Array(plan.targets.indices)
        replayedCount = nil
    }

    /// What a replay has left.
    init(_ targets: [(any RestoreTarget, origin: Int?)], replayedCount: UInt64) {
        self.targets = targets.map(\.0)
        origins = targets.map(\.origin)
        self.replayedCount = replayedCount
    }

    /// What was loaded, told of what there is now.
    func report(_ loaded: RestoreReport, of plan: RestorePlan) -> RestoreReport {
        var report = loaded
        report.replayedCount = replayedCount
        report.entries = zip(targets, origins).map { target, origin in
            RestoreReport.Entry(
                source: origin.map { plan.targets[$0].source.namespace }
                    ?? target.source.namespace,
                target: target.namespace, type: target.source.type,
                outcome: origin.map { loaded.entries[$0].outcome } ?? LoadOutcome())
        }
        return report
    }
}
