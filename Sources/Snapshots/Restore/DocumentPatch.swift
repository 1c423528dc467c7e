internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Makes a collection of a server equal to one of an archive by writing only the difference:
/// missing and differing documents first, deletions last. Both sides are read once; when anything
/// was written, the collection is read again and must be equal, with its fingerprint.
struct DocumentPatch: Sendable {
    /// How often both sides are looked at when they are not equal after all: documents may expire,
    /// or be written, between the first look and the first change.
    private static let attemptCountMax = 3
    /// Bytes of `_id`s of documents to be deleted that are held at once.
    private static let surplusByteCountMax = 64 * 1024 * 1024
    /// Documents of one command, and bytes of their `_id`s.
    private static let deleteCountMax = 1000
    private static let deleteByteCountMax = 4 * 1024 * 1024

    /// Documents of one chunk that are to be written.
    private struct PatchedChunk: WeighedElement {
        let chunk: ArchivedDocuments.Chunk
        let places: [ComparedContent.Place]

        var heldByteCount: Int { chunk.heldByteCount }
    }

    /// The server did not take a document.
    struct Refusal: Error {
        let reason: String
    }

    let documents: ArchivedDocuments
    /// The collection that is changed.
    let namespace: Namespace
    let definition: CollectionDefinition
    /// Whether the collection's validator is passed by.
    let bypassesValidation: Bool
    let options: Restore.Options
    let context: RestoreContext
    /// Told what is being done.
    var tell: @Sendable (JobProgress.Phase) -> Void = { _ in }

    /// - Parameter isOwn: whether the collection is the restore's own; then its indexes are left to
    ///   be completed, and nothing of it expires until then.
    /// - Throws: `ArchiveError` for a damaged chunk, before anything is written; `Refusal`;
    ///   `notEqual` when somebody else writes to the collection; `MongoError`.
    func run(isOwn: Bool = false) async throws -> LoadOutcome {
        var total = LoadOutcome()
        var indexes = PatchedIndexes(definition, of: namespace, isOwn: isOwn, context)
        if isOwn {
            try await indexes.prepare()
        } else {
            try await merger.tryWriting()
        }
        do {
            try await patchUntilEqual(&indexes, &total)
            if !isOwn { try await indexes.complete() }
        } catch {
            if !isOwn, !(error is Refusal) { await takeBack(indexes, after: error) }
            throw error
        }
        let totals = documents.entry.totals
        total.documentCount = totals.documentCount
        total.byteCount = totals.byteCount
        let writtenCount = total.insertedCount + total.overwrittenCount
        total.equalCount = totals.documentCount - min(totals.documentCount, writtenCount)
        return total
    }

    /// A live collection gets its indexes and its expiry back; its documents stay as they are.
    private func takeBack(_ indexes: PatchedIndexes, after error: any Error) async {
        guard indexes.hasChanged else { return }
        let observer = context.observer
        observer.noticed(
            "\(namespace) is between what it was and the snapshot; running the restore again "
                + "completes it")
        guard error.allowsTakingBack else { return }
        await uncancelled {
            do {
                try await indexes.takeBack()
            } catch {
                observer.noticed(
                    "\(namespace) does not have all of its indexes, or nothing expires by them, "
                        + "until the restore is run again: \(error.inUserNames)")
            }
        }
    }

    private func patchUntilEqual(
        _ indexes: inout PatchedIndexes, _ total: inout LoadOutcome
    ) async throws {
        var attemptCount = 0
        while true {
            let round = try await patch(&indexes)
            total.add(round.outcome)
            if !round.isCut {
                // Where nothing was written, each live document was found to be the archive's.
                if round.outcome == LoadOutcome() { break }
                if try await isEqual() { break }
                attemptCount += 1
            }
            guard attemptCount < Self.attemptCountMax else {
                throw SnapshotError(
                    .notEqual,
                    "\(namespace) is not what the archive holds, so something else writes to it; "
                        + "stop that, and run the restore again")
            }
        }
    }

    private var merger: DocumentMerger {
        DocumentMerger(
            context: context, namespace: namespace, bypassesValidation: bypassesValidation)
    }

    /// The same for a collection that holds the archive's documents already, whose indexes are
    /// then completed.
    ///
    /// - Returns: nil, and nothing is written, when it holds others.
    func runIfEqual() async throws -> LoadOutcome? {
        guard try await isEqual() else { return nil }
        try await PatchedIndexes(definition, of: namespace, context).complete()
        let totals = documents.entry.totals
        var outcome = LoadOutcome()
        outcome.documentCount = totals.documentCount
        outcome.byteCount = totals.byteCount
        outcome.equalCount = totals.documentCount
        return outcome
    }

    /// Reads the collection and compares count and fingerprint.
    private func isEqual() async throws -> Bool {
        let totals = documents.entry.totals
        tell(.comparing)
        let found = try await context.endurance.run { _ in
            try await StoredDocuments(namespace: namespace, pool: context.pool)
                .totals(expecting: totals)
        }
        return found.documentCount == totals.documentCount
            && found.fingerprint == totals.fingerprint
    }

    // MARK: A round

    /// What one look at both sides has led to.
    private struct Round: Sendable {
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
            let before = round
            let (places, after) = try await context.endurance.run { _ in
                try await look(pass, of: count, passes, before)
            }
            round = after
            guard !places.isEmpty else { continue }
            try await indexes.prepare()
            round.outcome.add(try await write(places))
        }
        if !round.surplus.isEmpty {
            try await indexes.prepare()
            round.outcome.deletedCount = try await delete(remaining(round.surplus))
        }
        return round
    }

    /// Those that are still there. A document whose `_id` is equal to one of the archive's, though
    /// not by its bytes, was overwritten by it: deleting it would delete that one.
    private func remaining(_ surplus: [BSONDocument]) async throws -> [BSONDocument] {
        let doubtful = try surplus.filter { document in
            try !document.bytes.withUnsafeBytes { try DocumentIdentity.isExact($0) }
        }
        guard !doubtful.isEmpty else { return surplus }
        let stored = StoredDocuments(namespace: namespace, pool: context.pool)
        let ids = try doubtful.map { try $0.identifier }
        let found = try await context.endurance.run { _ in
            Set(try await stored.identifiers(equalTo: ids))
        }
        let overwritten = Set(ids.filter { !found.contains($0) })
        return try surplus.filter { try !overwritten.contains($0.identifier) }
    }

    /// - Returns: where the documents to be written are in the archive, and the round with those to
    ///   be deleted.
    private func look(
        _ pass: Int, of count: Int, _ passes: DocumentPasses, _ round: Round
    ) async throws -> ([ComparedContent.Place], Round) {
        var round = round
        var differing: [ComparedContent.Place] = []
        let missing = try await passes.run(pass, of: count) { verdict, entry, content in
            switch verdict {
            case .equal: break
            case .differing(let archived): differing.append(archived.place)
            case .onlyInSecond: round.enterSurplus(try content.identifier(entry.place))
            }
        }
        return (differing + missing.map(\.place), round)
    }

    /// Makes live documents those of the archive that lie at these places.
    private func write(_ places: [ComparedContent.Place]) async throws -> LoadOutcome {
        let merger = merger
        var waiting = Dictionary(grouping: places, by: \.sequence)
            .sorted { $0.key < $1.key }[...]
        var outcome = LoadOutcome()
        tell(.loading)
        try await withOrderedWindow(
            width: options.writerCount,
            next: {
                waiting.popFirst().map { sequence, places in
                    PatchedChunk(chunk: documents.chunk(sequence), places: places)
                }
            },
            transform: { (patched: PatchedChunk) async throws in
                let content = try await documents.content(patched.chunk.sequence)
                let outcome = try await merger.merge(run: patched.places.map(content.bytes))
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
        let ids = try surplus.map { try $0.identifier }
        for ids in ids.runs(
            countMax: Self.deleteCountMax, byteCountMax: Self.deleteByteCountMax)
        {
            try Task.checkCancellation()
            try RepositoryLocks.checkHeld()
            try await context.endurance.run { _ in
                try await DocumentRemoval(namespace: namespace, pool: context.pool).remove(ids)
            }
        }
        return UInt64(surplus.count)
    }
}
