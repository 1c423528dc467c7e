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
        do { return try await runPhases() } catch { throw error.inUserNames }
    }

    private func runPhases() async throws -> RestoreReport {
        let survey = try await survey()
        let replay = plan.oplog == nil ? nil : OplogReplay(plan, context, survey)
        do {
            if let replay, let database = plan.targets.first?.namespace.database {
                try await replay.checkPermission(in: database)
            }
            try await forEach(plan.targets) { try await $0.prepare() }
            let (loaded, ledger) = try await load(replay)
            let restored = try await replay?.finish() ?? Restored(plan)
            if replay != nil {
                // The oplog may have made collections that nobody knew of before.
                var needs = PrivilegeNeeds()
                for target in restored.targets { needs.formUnion(try target.needs) }
                try needs.check(context.privileges, for: "the restore")
            }
            try await forEach(restored.targets, telling: .comparing) { try await $0.complete() }
            try await makeDurable(restored.targets, ledger, isReplayed: replay != nil)
            try await DefinitionProof(context: context).checkStaged(restored.targets)
            var report = restored.report(loaded, of: plan)
            if !plan.patches.isEmpty { try await RepositoryLocks.confirmHeld() }
            for patch in plan.patches {
                report.entries.append(
                    RestoreReport.Entry(
                        source: patch.source.namespace, target: patch.namespace,
                        type: patch.source.type, outcome: try await patch.run()))
                context.changes.note(patch.namespace)
            }
            let outcomes = try await RestoreCommit(
                restored.targets, width: options.waitingWriterCount, context
            ).run()
            for (position, outcome) in outcomes { report.entries[position].outcome.add(outcome) }
            return report
        } catch let error as MongoError
            where error.isNetworkError && context.seal != nil && replay == nil
        {
            context.observer.noticed(
                "what was loaded beside the live data stays; --resume continues with it")
            throw error
        } catch {
            await abandon((replay?.targets ?? []) + plan.targets)
            throw error
        }
    }

    /// Reads the oplog before anything is loaded, where the archive has an index.
    ///
    /// - Returns: nil where there is none to be replayed, or no index.
    /// - Throws: `unsupported` when it has an entry that can't be replayed.
    private func survey() async throws -> OplogSurvey? {
        guard let oplog = plan.oplog, let chunks = plan.factory.chunks else { return nil }
        let survey = try await OplogSurvey(
            chunks, oplog, for: context.server, width: options.width)
        try survey.check()
        return survey
    }

    /// Chunks that are decoded and wait for a writer.
    private static let decodedChunkCountMax = 2

    /// Decodes and writes chunks, both in parallel; accounts for them in file order. An oplog comes
    /// last, and is replayed as it comes when all else was compared.
    private func load(_ replay: OplogReplay?) async throws -> (RestoreReport, ArchiveLedger) {
        var ledger = ArchiveLedger(reader.prelude)
        var outcomes: [Int: LoadOutcome] = [:]
        var isCompared = false
        var report = RestoreReport()
        var progress = JobProgress(phase: .loading, byteCountTotal: plan.byteCountTotal(reader))
        let loader = ChunkLoader(
            plan.targetsByDataNamespace, width: options.waitingWriterCount, context)
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
                    guard let replay else { return }
                    for entries in loaded.oplog {
                        if !isCompared { try await compare(ledger, &outcomes) }
                        isCompared = true
                        try await replay.apply(entries)
                    }
                })
        }
        try ledger.close(manifest: reader.manifest, selected: plan.selected)
        if !isCompared { try await compare(ledger, &outcomes) }
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
        let (width, mode) = (options.width, options.mode)
        try await withProducer(
            capacity: Self.decodedChunkCountMax,
            produce: { send in
                try await withOrderedWindow(
                    width: width, next: { try await reader.next() },
                    transform: { (pending: PendingChunk) async throws -> ChunkLoader.Decoded in
                        try ChunkLoader.Decoded(pending, mode)
                    },
                    deliver: send)
            },
            consume: body)
    }

    /// How often all is compared again because a server may have lost what it had acknowledged.
    private static let attemptCountMax = 3

    /// Returns when a majority has what was loaded and compared: should another primary, or another
    /// start of it, answer by now than before, it is compared again and completed.
    private func makeDurable(
        _ targets: [any RestoreTarget], _ ledger: ArchiveLedger, isReplayed: Bool
    ) async throws {
        for _ in 1...Self.attemptCountMax {
            try await context.waitForMajority(reading: plan.readable)
            guard try await context.isBroken() else { return }
            // What was replayed on can't be compared with the archive any more.
            guard !isReplayed else { break }
            context.observer.noticed(
                "the server may have lost what was loaded; comparing all of it again")
            _ = try await compareAll(ledger)
            try await forEach(targets) { try await $0.complete() }
        }
        throw SnapshotError(
            .notEqual,
            "the server was restarted, or another one became primary, while it was written to; "
                + "the live data was left as it was")
    }

    /// Compares, and adds what was done with documents that were not loaded here.
    private func compare(
        _ ledger: ArchiveLedger, _ outcomes: inout [Int: LoadOutcome]
    ) async throws {
        if try await context.isBroken() {
            context.observer.noticed(
                "the server was restarted, or another one became primary: comparing what was "
                    + "loaded, and writing what is missing")
        }
        for (position, outcome) in try await compareAll(ledger).enumerated() {
            if let outcome { outcomes[position, default: LoadOutcome()].add(outcome) }
        }
    }

    private func compareAll(_ ledger: ArchiveLedger) async throws -> [LoadOutcome?] {
        try await forEach(plan.targets, telling: .comparing) { target in
            let ordinal = ledger.ordinals[target.source.dataNamespace]
            guard
                target.readsArchiveItself || (ordinal.map { ledger.hasEnded($0) } ?? true)
            else {
                throw ArchiveError(
                    .malformed, "the namespace continues after the oplog has begun",
                    namespace: target.source.namespace.description)
            }
            return try await target.compare(
                ordinal.map { ledger.totals(of: $0) } ?? DocumentTotals())
        }
    }

    /// Does the same with targets, several at once; progress is told by this task alone.
    @discardableResult
    private func forEach<Result: Sendable>(
        _ targets: [any RestoreTarget], telling phase: JobProgress.Phase? = nil,
        _ body: @escaping @Sendable (any RestoreTarget) async throws -> Result
    ) async throws -> [Result] {
        var results: [Result] = []
        var waiting = targets[...]
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
            transform: body, deliver: { results.append($0) })
        return results
    }

    /// Cleans up even when the job was cancelled: in a task that is not.
    private func abandon(_ targets: [any RestoreTarget]) async {
        let observer = context.observer
        await uncancelled {
            for target in targets {
                do {
                    try await target.abandon()
                } catch {
                    observer.noticed(
                        "could not clean up after \(target.namespace); the next restore will: "
                            + "\(error.inUserNames)")
                    // Asking a server that is gone once a collection would take minutes.
                    if let error = error as? MongoError, error.isNetworkError { return }
                }
            }
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

        /// Runs of entries of the oplog, in file order.
        var oplog: [ArraySlice<UInt8>] {
            chunk.blocks.filter { block in
                block.header.namespace == NamespaceDescriptor.oplog.namespace
                    && !block.documents.isEmpty
            }.map { chunk.bytes[$0.documents] }
        }
    }

    /// A checked chunk whose documents may be used.
    struct Decoded: WeighedElement, Sendable {
        let chunk: DecodedChunk
        let storedByteCount: Int

        /// With what is sent to the server and, of a merge, what comes from it.
        let heldByteCount: Int

        init(_ pending: PendingChunk, _ mode: Restore.Mode) throws {
            chunk = try pending.decoded()
            heldByteCount = (mode == .merge ? 3 : 2) * chunk.bytes.count
            storedByteCount = pending.storedByteCount
        }
    }

    /// A target and its position in the plan.
    typealias Entry<Target> = (position: Int, target: Target)

    private let small: [Namespace: Entry<SmallCollection>]
    private let others: [Namespace: Entry<any RestoreTarget>]
    private let smallLoader: SmallCollectionLoader

    /// - Parameters:
    ///   - targets: by the namespace that the archive's blocks name.
    ///   - width: how many transactions of small collections are under way at once.
    init(
        _ targets: [Namespace: Entry<any RestoreTarget>], width: Int, _ context: RestoreContext
    ) {
        small = targets.compactMapValues { entry in
            entry.target.small.map { (entry.position, $0) }
        }
        let small = small
        others = targets.filter { small[$0.key] == nil }
        smallLoader = SmallCollectionLoader(context: context, width: width)
    }

    /// Writes what may be written in any order.
    func load(_ decoded: Decoded) async throws -> Loaded {
        let chunk = decoded.chunk
        var outcomes = try await loadSmall(chunk)
        for (block, entry) in blocks(of: chunk) where !entry.target.keepsOrder {
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
            guard let entry = small[end.header.namespace] else { continue }
            let block = documents[end.header.namespace] ?? end
            positions.append(entry.position)
            collections.append(
                SmallCollectionLoader.Whole(
                    target: entry.target, documents: chunk.bytes[block.documents],
                    totals: block.totals))
        }
        guard !collections.isEmpty else { return [] }
        let outcomes = try await smallLoader.load(collections)
        return Array(zip(positions, outcomes))
    }

    private func blocks(
        of chunk: DecodedChunk
    ) -> [(MongodumpBlock.Block, Entry<any RestoreTarget>)] {
        chunk.blocks.compactMap { block in
            guard !block.documents.isEmpty, let entry = others[block.header.namespace] else {
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
