internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// An ordinary collection that is made equal to the snapshot's by writing only the difference:
/// missing and differing documents first, deletions last, so the live data is never less than
/// before. A kill in between leaves it between old and new; running the restore again completes it.
/// The fast way back when little changed: both sides are read once, little is written.
///
/// Where documents can't be exchanged one by one, because a unique key of one is still another's,
/// it is loaded beside and swapped like any other.
struct PatchedCollection: Sendable {
    /// How often both sides are looked at when they are not equal after all: documents may expire,
    /// or be written, between the first look and the first change.
    private static let attemptCountMax = 3
    /// Bytes of `_id`s of documents to be deleted that are held at once.
    private static let surplusByteCountMax = 64 * 1024 * 1024
    /// Documents of one command.
    private static let deleteCountMax = 1000

    private let documents: ArchivedDocuments
    let namespace: Namespace
    private let definition: CollectionDefinition
    private let context: RestoreContext
    private let options: Restore.Options
    private let merger: DocumentMerger
    private let fallback: StagedCollection

    /// - Returns: nil for what can't be made equal document by document: another kind than an
    ///   ordinary collection, one with a collation, whose `_id`s are equal in another way, or one
    ///   whose options differ from those of the live collection.
    init?(
        _ choice: RestorePlan.Choice, _ chunks: IndexedChunks, live: CollectionInfo,
        _ options: Restore.Options, _ context: RestoreContext
    ) throws {
        let descriptor = choice.descriptor
        var present = descriptor
        present.options = live.options
        present.type = NamespaceType(rawValue: live.type) ?? .collection
        var difference = NamespaceDifference(choice.target)
        try difference.compareDefinitions(descriptor, present)
        let isOrdinary = try ["capped", "collation", "autoIndexId"].allSatisfy {
            try descriptor.options.first($0) == nil
        }
        guard descriptor.type == .collection, isOrdinary, difference.options.isEmpty,
            !choice.target.collection.hasPrefix("system.")
        else { return nil }
        documents = ArchivedDocuments(chunks, UInt32(choice.position))
        namespace = choice.target
        definition = try CollectionDefinition(descriptor)
        self.options = options
        self.context = context
        merger = DocumentMerger(context: context, namespace: namespace)
        fallback = try StagedCollection(choice, context)
    }

    var source: NamespaceDescriptor { documents.entry.descriptor }

    /// - Throws: `ArchiveError` for a damaged chunk, before anything is written; `notEqual` when
    ///   somebody else writes to the collection; `MongoError`.
    func run() async throws -> LoadOutcome {
        do {
            return try await patchUntilEqual()
        } catch let refusal as Refusal {
            context.observer.noticed(
                "\(namespace) is loaded beside and swapped, for it can't be changed document by "
                    + "document: \(refusal.reason)")
            return try await replaceWhole()
        }
    }

    /// The server did not take a document.
    private struct Refusal: Error {
        let reason: String
    }

    private func patchUntilEqual() async throws -> LoadOutcome {
        var total = LoadOutcome()
        var indexes = PatchedIndexes(definition, of: namespace, context)
        var attemptCount = 0
        while true {
            let round = try await patch(&indexes)
            total.add(round.outcome)
            if !round.isCut {
                if try await isEqual(after: round) { break }
                attemptCount += 1
            }
            guard attemptCount < Self.attemptCountMax else {
                throw SnapshotError(
                    .notEqual,
                    "\(namespace) is not what the archive holds; is it being written to?")
            }
        }
        try await indexes.complete()
        let totals = documents.entry.totals
        total.documentCount = totals.documentCount
        total.byteCount = totals.byteCount
        let writtenCount = total.insertedCount + total.overwrittenCount
        total.equalCount = totals.documentCount - min(totals.documentCount, writtenCount)
        return total
    }

    /// Nothing was written where each live document was found to be the archive's; else all are
    /// read again.
    private func isEqual(after round: Round) async throws -> Bool {
        guard round.outcome != LoadOutcome() else { return true }
        let totals = documents.entry.totals
        tell(.comparing)
        let found = try await StoredDocuments(namespace: namespace, pool: context.pool)
            .totals(expecting: totals)
        return found.documentCount == totals.documentCount
            && found.fingerprint == totals.fingerprint
    }

    // MARK: A round

    /// What one look at both sides has led to.
    private struct Round {
        var outcome = LoadOutcome()
        /// `_id`s of documents that are only live, as documents with nothing else.
        var surplus: [BSONDocument] = []
        var surplusByteCount = 0
        /// Whether there were more than are held at once.
        var isCut = false

        mutating func enterSurplus(_ id: BSONValue) {
            guard surplusByteCount < surplusByteCountMax else {
                isCut = true
                return
            }
            let document = BSONDocument { $0.append("_id", id) }
            surplusByteCount += document.bytes.count + MemoryLayout<BSONDocument>.stride
            surplus.append(document)
        }
    }

    private func patch(_ indexes: inout PatchedIndexes) async throws -> Round {
        var round = Round()
        let live = try await LiveDocuments(namespace, context.pool, at: nil)
        let passes = DocumentPasses(first: documents, second: live, width: options.width)
        let count = passes.count(memoryByteCount: Comparison.Options.memoryByteCountStandard)
        for pass in 0..<count {
            tell(.comparing)
            var differing: [ComparedContent.Place] = []
            let missing = try await passes.run(pass, of: count) { verdict, entry, content in
                switch verdict {
                case .equal: break
                case .differing(let archived): differing.append(archived.place)
                case .onlyInSecond:
                    round.enterSurplus(try content.document(entry.place).identifier)
                }
            }
            let places = differing + missing.map(\.place)
            guard !places.isEmpty else { continue }
            try await indexes.prepare()
            round.outcome.add(try await write(places))
        }
        if !round.surplus.isEmpty {
            try await indexes.prepare()
            round.outcome.deletedCount = try await delete(round.surplus)
        }
        return round
    }

    /// Makes live documents those of the archive that lie at these places.
    private func write(_ places: [ComparedContent.Place]) async throws -> LoadOutcome {
        var waiting = Dictionary(grouping: places, by: \.sequence)
            .sorted { $0.key < $1.key }[...]
        var outcome = LoadOutcome()
        tell(.loading)
        try await withOrderedWindow(
            width: options.writerCount, next: { waiting.popFirst() },
            transform: { (chunk: (key: UInt32, value: [ComparedContent.Place])) async throws in
                let content = try await documents.content(chunk.key)
                let outcome = try await merger.merge(run: chunk.value.map(content.bytes))
                if outcome.failedCount > 0 {
                    throw Refusal(reason: outcome.firstFailure ?? "a document was refused")
                }
                return outcome
            },
            deliver: { (written: LoadOutcome) in
                outcome.insertedCount += written.insertedCount
                outcome.overwrittenCount += written.overwrittenCount
            })
        return outcome
    }

    /// - Returns: how many were deleted.
    private func delete(_ surplus: [BSONDocument]) async throws -> UInt64 {
        tell(.publishing)
        for start in stride(from: 0, to: surplus.count, by: Self.deleteCountMax) {
            try Task.checkCancellation()
            let ids = surplus[start..<min(surplus.count, start + Self.deleteCountMax)]
            try await DocumentRemoval(namespace: namespace, pool: context.pool)
                .remove(try ids.map { try $0.identifier })
        }
        return UInt64(surplus.count)
    }

    private func tell(_ phase: JobProgress.Phase) {
        context.observer.progressed(JobProgress(phase: phase, subject: namespace.description))
    }

    // MARK: Otherwise

    private func replaceWhole() async throws -> LoadOutcome {
        let totals = documents.entry.totals
        do {
            try await fallback.prepare()
            try await withOrderedWindow(
                width: options.writerCount, next: Self.each(documents.sequences),
                transform: { (sequence: UInt32) async throws in
                    for run in try await documents.runs(sequence) {
                        _ = try await fallback.load(run)
                    }
                },
                deliver: { _ in })
            try await fallback.complete(totals)
            try await fallback.commit()
        } catch {
            // Also when it was cancelled.
            try await Task { try await fallback.abandon() }.value
            throw error
        }
        var outcome = LoadOutcome()
        outcome.documentCount = totals.documentCount
        outcome.byteCount = totals.byteCount
        outcome.insertedCount = totals.documentCount
        return outcome
    }

    private static func each(_ sequences: [UInt32]) -> () async throws -> UInt32? {
        var waiting = sequences[...]
        return { waiting.popFirst() }
    }
}
