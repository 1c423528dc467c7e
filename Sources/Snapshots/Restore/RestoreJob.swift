internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// The running part of a restore: takes a plan's targets through their phases.
struct RestoreJob {
    let plan: RestorePlan
    let reader: any ArchiveReader
    let width: Int
    let context: RestoreContext

    func run() async throws -> RestoreReport {
        do {
            try await forEachTarget { try await $0.prepare() }
            let (report, ledger) = try await load()
            try await complete(ledger)
            try await commit()
            return report
        } catch {
            await abandon()
            throw error
        }
    }

    /// Decodes and writes chunks in parallel; accounts for them in file order.
    private func load() async throws -> (RestoreReport, ArchiveLedger) {
        var ledger = ArchiveLedger(reader.prelude)
        var outcomes: [Int: LoadOutcome] = [:]
        var report = RestoreReport()
        var progress = JobProgress(phase: .loading, byteCountTotal: plan.byteCountTotal(reader))
        let loader = ChunkLoader(targets: plan.targetsByDataNamespace)
        try await withOrderedWindow(
            width: width, next: { try await reader.next() },
            transform: { (pending: PendingChunk) async throws -> ChunkLoader.Loaded in
                try await loader.load(pending)
            },
            deliver: { loaded in
                try ledger.enter(loaded.chunk)
                for (position, outcome) in try await loader.finish(loaded) {
                    outcomes[position, default: LoadOutcome()].add(outcome)
                    progress.documentCount += outcome.documentCount
                    progress.byteCount += outcome.byteCount
                    progress.subject = plan.targets[position].namespace.description
                }
                report.storedByteCount += UInt64(loaded.storedByteCount)
                context.observer.progressed(progress)
            })
        try ledger.close(manifest: reader.manifest, selected: plan.selected)
        report.entries = plan.targets.enumerated().map { position, target in
            RestoreReport.Entry(
                source: target.source.namespace, target: target.namespace,
                type: target.source.type, outcome: outcomes[position] ?? LoadOutcome())
        }
        return (report, ledger)
    }

    private func complete(_ ledger: ArchiveLedger) async throws {
        let observer = context.observer
        try await forEachTarget { target in
            observer.progressed(
                JobProgress(phase: .comparing, subject: target.namespace.description))
            let ordinal = ledger.ordinals[target.source.dataNamespace]
            try await target.complete(ordinal.map { ledger.totals(of: $0) } ?? DocumentTotals())
        }
    }

    /// Does the same with all targets, several at once.
    private func forEachTarget(
        _ body: @escaping @Sendable (any RestoreTarget) async throws -> Void
    ) async throws {
        var waiting = plan.targets[...]
        try await withOrderedWindow(
            width: width, next: { waiting.popFirst() }, transform: body, deliver: { _ in })
    }

    /// Makes everything live. Once begun it is not cancelled any more: what is left are renames,
    /// and half of them would be neither the old state nor the new.
    private func commit() async throws {
        try Task.checkCancellation()
        let targets = plan.targets.sorted { $0.commitRank < $1.commitRank }
        let observer = context.observer
        try await Task {
            for (number, target) in targets.enumerated() {
                observer.progressed(
                    JobProgress(phase: .publishing, subject: target.namespace.description))
                do {
                    try await target.commit()
                } catch {
                    if number > 0 {
                        observer.noticed(
                            "\(number) of \(targets.count) namespaces were already replaced when "
                                + "\(target.namespace) failed; run the restore again")
                    }
                    throw error
                }
            }
        }.value
    }

    /// Cleans up even when the job was cancelled: in a task that is not.
    private func abandon() async {
        let targets = plan.targets
        let observer = context.observer
        await Task {
            for target in targets {
                do {
                    try await target.abandon()
                } catch {
                    observer.noticed(
                        "could not clean up after \(target.namespace); the next restore will: "
                            + "\(error)")
                }
            }
        }.value
    }
}

/// Writes the documents of chunks to the targets they belong to.
private struct ChunkLoader: Sendable {
    /// A chunk and what became of its documents, by position of the target in the plan.
    struct Loaded: Sendable {
        var chunk: DecodedChunk
        var outcomes: [(position: Int, outcome: LoadOutcome)]
        var storedByteCount: Int
    }

    let targets: [Namespace: (position: Int, target: any RestoreTarget)]

    /// Checks and decodes a chunk and writes what may be written in any order.
    func load(_ pending: PendingChunk) async throws -> Loaded {
        let chunk = try pending.decoded()
        var outcomes: [(Int, LoadOutcome)] = []
        for (block, entry) in blocks(of: chunk) where !entry.target.keepsOrder {
            outcomes.append((entry.position, try await load(block, of: chunk, entry.target)))
        }
        return Loaded(
            chunk: chunk, outcomes: outcomes, storedByteCount: pending.storedByteCount)
    }

    /// Writes, in file order, what must be written in order.
    func finish(_ loaded: Loaded) async throws -> [(position: Int, outcome: LoadOutcome)] {
        var outcomes = loaded.outcomes
        for (block, entry) in blocks(of: loaded.chunk) where entry.target.keepsOrder {
            outcomes.append(
                (entry.position, try await load(block, of: loaded.chunk, entry.target)))
        }
        return outcomes
    }

    private func blocks(
        of chunk: DecodedChunk
    ) -> [(DecodedChunk.Block, (position: Int, target: any RestoreTarget))] {
        chunk.blocks.compactMap { block in
            guard !block.documents.isEmpty, let entry = targets[block.header.namespace] else {
                return nil
            }
            return (block, entry)
        }
    }

    private func load(
        _ block: DecodedChunk.Block, of chunk: DecodedChunk, _ target: any RestoreTarget
    ) async throws -> LoadOutcome {
        var outcome = try await target.load(chunk.bytes[block.documents])
        outcome.documentCount = block.totals.documentCount
        outcome.byteCount = block.totals.byteCount
        return outcome
    }
}
