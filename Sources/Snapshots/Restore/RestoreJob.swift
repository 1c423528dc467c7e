internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// The running part of a restore: takes a plan's targets through their phases.
struct RestoreJob {
    let plan: RestorePlan
    let reader: any ArchiveReader
    let options: Restore.Options
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

    /// Chunks that are decoded and wait for a writer.
    private static let decodedChunkCountMax = 2

    /// Decodes and writes chunks, both in parallel; accounts for them in file order.
    private func load() async throws -> (RestoreReport, ArchiveLedger) {
        var ledger = ArchiveLedger(reader.prelude)
        var outcomes: [Int: LoadOutcome] = [:]
        var report = RestoreReport()
        var progress = JobProgress(phase: .loading, byteCountTotal: plan.byteCountTotal(reader))
        let loader = ChunkLoader(targets: plan.targetsByDataNamespace, context: context)
        try await withDecodedChunks { next in
            try await withOrderedWindow(
                width: options.writerCount, ahead: options.writerCount, next: next,
                transform: { (decoded: ChunkLoader.Decoded) async throws -> ChunkLoader.Loaded in
                    try await loader.load(decoded)
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
        }
        try ledger.close(manifest: reader.manifest, selected: plan.selected)
        report.entries = plan.targets.enumerated().map { position, target in
            RestoreReport.Entry(
                source: target.source.namespace, target: target.namespace,
                type: target.source.type, outcome: outcomes[position] ?? LoadOutcome())
        }
        return (report, ledger)
    }

    /// Reads and decodes ahead, so that no writer waits for a chunk.
    private func withDecodedChunks(
        _ body: (_ next: () async throws -> ChunkLoader.Decoded?) async throws -> Void
    ) async throws {
        // Used by the task that decodes until that has ended, and only then by this one.
        nonisolated(unsafe) let reader = reader
        let width = options.width
        try await withProducer(
            capacity: Self.decodedChunkCountMax,
            produce: { send in
                try await withOrderedWindow(
                    width: width, next: { try await reader.next() },
                    transform: { (pending: PendingChunk) async throws -> ChunkLoader.Decoded in
                        try ChunkLoader.Decoded(pending)
                    },
                    deliver: send)
            },
            consume: body)
    }

    private func complete(_ ledger: ArchiveLedger) async throws {
        try await forEachTarget(telling: .comparing) { target in
            let ordinal = ledger.ordinals[target.source.dataNamespace]
            try await target.complete(ordinal.map { ledger.totals(of: $0) } ?? DocumentTotals())
        }
    }

    /// Does the same with all targets, several at once; progress is told by this task alone.
    private func forEachTarget(
        telling phase: JobProgress.Phase? = nil,
        _ body: @escaping @Sendable (any RestoreTarget) async throws -> Void
    ) async throws {
        var waiting = plan.targets[...]
        try await withOrderedWindow(
            width: options.writerCount,
            next: {
                guard let target = waiting.popFirst() else { return nil }
                if let phase {
                    context.observer.progressed(
                        JobProgress(phase: phase, subject: target.namespace.description))
                }
                return target
            },
            transform: body, deliver: { _ in })
    }

    /// Makes everything live. Once begun it is not cancelled any more: what is left are renames,
    /// and half of them would be neither the old state nor the new.
    private func commit() async throws {
        let targets = plan.targets.sorted { $0.commitRank < $1.commitRank }
        let observer = context.observer
        observer.progressed(JobProgress(phase: .publishing))
        try Task.checkCancellation()
        let majority = try await MajorityProof(targets, context)
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
            try await majority?.complete()
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
                    // Asking a server that is gone once a collection would take minutes.
                    if let error = error as? MongoError, error.isNetworkError { return }
                }
            }
        }.value
    }
}

/// That a majority of the replica set has what was committed without waiting for one.
private struct MajorityProof: Sendable {
    private let context: RestoreContext
    private let namespace: Namespace
    private let election: BSONDocument?

    /// To be made before the first commit; nil when every target waits by itself.
    init?(_ targets: [any RestoreTarget], _ context: RestoreContext) async throws {
        guard let target = targets.first(where: { $0 is SmallCollection }) else { return nil }
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

/// Writes the documents of chunks to the targets they belong to.
private struct ChunkLoader: Sendable {
    /// A chunk and what became of its documents, by position of the target in the plan.
    struct Loaded: Sendable {
        var chunk: DecodedChunk
        var outcomes: [(position: Int, outcome: LoadOutcome)]
        var storedByteCount: Int
    }

    /// A checked chunk whose documents may be used.
    struct Decoded: Sendable {
        let chunk: DecodedChunk
        let storedByteCount: Int

        init(_ pending: PendingChunk) throws {
            chunk = try pending.decoded()
            storedByteCount = pending.storedByteCount
        }
    }

    let targets: [Namespace: (position: Int, target: any RestoreTarget)]
    let context: RestoreContext

    /// Writes what may be written in any order.
    func load(_ decoded: Decoded) async throws -> Loaded {
        let chunk = decoded.chunk
        var outcomes = try await loadSmall(chunk)
        for (block, entry) in blocks(of: chunk)
        where !entry.target.keepsOrder && !(entry.target is SmallCollection) {
            outcomes.append((entry.position, try await load(block, of: chunk, entry.target)))
        }
        return Loaded(
            chunk: chunk, outcomes: outcomes, storedByteCount: decoded.storedByteCount)
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

    /// Writes the collections that are small, whole and together.
    private func loadSmall(
        _ chunk: DecodedChunk
    ) async throws -> [(position: Int, outcome: LoadOutcome)] {
        let documents = Dictionary(
            chunk.blocks.filter { !$0.header.isEnd }.map { ($0.header.namespace, $0) },
            uniquingKeysWith: { first, _ in first })
        var positions: [Int] = []
        var collections: [SmallCollectionLoader.Whole] = []
        for end in chunk.blocks where end.header.isEnd {
            guard let entry = targets[end.header.namespace],
                let target = entry.target as? SmallCollection
            else { continue }
            let block = documents[end.header.namespace] ?? end
            positions.append(entry.position)
            collections.append(
                SmallCollectionLoader.Whole(
                    target: target, documents: chunk.bytes[block.documents],
                    totals: block.totals))
        }
        guard !collections.isEmpty else { return [] }
        let outcomes = try await SmallCollectionLoader(context: context).load(collections)
        return Array(zip(positions, outcomes))
    }

    private func blocks(
        of chunk: DecodedChunk
    ) -> [(MongodumpBlock.Block, (position: Int, target: any RestoreTarget))] {
        chunk.blocks.compactMap { block in
            guard !block.documents.isEmpty, let entry = targets[block.header.namespace] else {
                return nil
            }
            return (block, entry)
        }
    }

    private func load(
        _ block: MongodumpBlock.Block, of chunk: DecodedChunk, _ target: any RestoreTarget
    ) async throws -> LoadOutcome {
        var outcome = try await target.load(chunk.bytes[block.documents])
        outcome.documentCount = block.totals.documentCount
        outcome.byteCount = block.totals.byteCount
        return outcome
    }
}
