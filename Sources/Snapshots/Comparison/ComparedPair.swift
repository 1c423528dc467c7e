internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// The same collection in two snapshots, or in a snapshot and on a server, on its way to what
/// differs.
struct ComparedPair {
    /// How many documents are looked at for those that are told by name.
    private static let sampleAttemptCountMax = 1000

    private let options: Comparison.Options
    private(set) var difference: NamespaceDifference
    /// Documents of the second side that were counted as its own and have a counterpart all the
    /// same, maybe in another pass.
    private var disguised: (count: UInt64, ids: Set<BSONValue>) = (0, [])
    /// Where the first few documents are that differ or that only the first side has.
    private(set) var changed: [ComparedContent.Place] = []
    /// Places that are remembered, and one more when there are more.
    static let changedCountMax = 10_000

    /// How definitions are read.
    private let rules: DefinitionRules

    init(
        _ namespace: Namespace, _ type: NamespaceType, _ options: Comparison.Options,
        _ rules: DefinitionRules = .comparing
    ) {
        self.options = options
        self.rules = rules
        difference = NamespaceDifference(namespace, type)
    }

    /// Compares two snapshots' collections.
    ///
    /// - Throws: `ArchiveError`, `BSONError`.
    mutating func compare(_ first: ArchivedDocuments, _ second: ArchivedDocuments) async throws {
        try compareDefinitions(first.entry.descriptor, second.entry.descriptor)
        let (left, right) = (first.entry.totals, second.entry.totals)
        if left.documentCount == right.documentCount, left.fingerprint == right.fingerprint {
            difference.equalCount = left.documentCount
            return
        }
        var (first, second) = (first, second)
        skipEqualChunks(&first, &second)
        let passCount = try await compareDocuments(first, second)
        difference.decodedChunkCount += passCount * second.sequences.count
    }

    /// Compares options and indexes.
    mutating func compareDefinitions(
        _ first: NamespaceDescriptor, _ second: NamespaceDescriptor
    ) throws {
        try difference.compareDefinitions(first, second, rules)
    }

    /// Compares a snapshot's documents with others, document by document.
    ///
    /// - Returns: in how many passes.
    /// - Throws: `ArchiveError`, `BSONError`, `MongoError`.
    @discardableResult
    mutating func compareDocuments(
        _ first: ArchivedDocuments, _ second: any ComparedDocuments
    ) async throws -> Int {
        let passes = DocumentPasses(first: first, second: second, width: options.width)
        let count = passes.count(memoryByteCount: options.memoryByteCount)
        for pass in 0..<count { try await run(pass, of: count, passes) }
        let disguisedCount = min(
            disguised.count, difference.onlyInSecondCount, difference.onlyInFirstCount)
        difference.onlyInFirstCount -= disguisedCount
        difference.onlyInSecondCount -= disguisedCount
        difference.differingCount += disguisedCount
        difference.onlyInSecond.removeAll { disguised.ids.contains($0) }
        difference.decodedChunkCount += count * first.sequences.count
        return count
    }

    /// Counts documents of two kinds of collection, which have nothing in common.
    mutating func takeAsUnlike(_ first: ArchivedDocuments, secondCount: UInt64) {
        difference.onlyInFirstCount = first.entry.totals.documentCount
        difference.onlyInSecondCount = secondCount
    }

    /// Tells of documents that the second side has no collection for.
    mutating func takeAsOnlyInFirst(_ first: ArchivedDocuments) async throws {
        difference.isInSecond = false
        difference.onlyInFirstCount = first.entry.totals.documentCount
        difference.onlyInFirst = try await first.firstIdentifiers(options.sampleCount)
            .map(DocumentExcerpt.shown)
    }

    /// Leaves out chunks that both have: an `_id` is in a collection once, so none of their
    /// documents has a counterpart elsewhere.
    private mutating func skipEqualChunks(
        _ first: inout ArchivedDocuments, _ second: inout ArchivedDocuments
    ) {
        var left: [ArchivedDocuments.Likeness: Int] = [:]
        for sequence in first.sequences {
            if let likeness = first.likeness(sequence) { left[likeness, default: 0] += 1 }
        }
        var both: [ArchivedDocuments.Likeness: Int] = [:]
        var others: [UInt32] = []
        for sequence in second.sequences {
            if let likeness = second.likeness(sequence), let count = left[likeness], count > 0 {
                left[likeness] = count - 1
                both[likeness, default: 0] += 1
                difference.equalCount += second.documentCount(sequence)
            } else {
                others.append(sequence)
            }
        }
        second.sequences = others
        let own = first
        first.sequences = first.sequences.filter { sequence in
            guard let likeness = own.likeness(sequence), let count = both[likeness], count > 0
            else { return true }
            both[likeness] = count - 1
            return false
        }
    }

    private mutating func run(
        _ pass: Int, of count: Int, _ passes: DocumentPasses
    ) async throws {
        var differing: [(first: ComparedContent.Place, second: ComparedContent.Place)] = []
        let sampleCount = options.sampleCount
        var found = difference
        var isDisguised = passes.second.hasCollation
        var recent = RecentContent(passes.first)
        var changed = changed
        let left = try await passes.run(pass, of: count) { verdict, entry, content in
            switch verdict {
            case .equal:
                found.equalCount += 1
            case .onlyInSecond:
                found.onlyInSecondCount += 1
                isDisguised = isDisguised || !entry.isExact
                if found.onlyInSecond.count < sampleCount {
                    let id = try content.identifier(entry.place)
                    found.onlyInSecond.append(DocumentExcerpt.shown(id))
                }
            case .differing(let other):
                found.differingCount += 1
                if changed.count <= Self.changedCountMax { changed.append(other.place) }
                if found.differing.count + differing.count < sampleCount {
                    differing.append((other.place, entry.place))
                }
            }
        } finish: { content in
            // Now, while the second side's documents are at hand.
            guard !differing.isEmpty else { return }
            found.differing += try await Self.samples(differing, in: content, &recent)
            differing = []
        }
        difference = found
        let room = max(0, Self.changedCountMax + 1 - changed.count)
        changed += left.prefix(room).map(\.place)
        self.changed = changed
        difference.onlyInFirstCount += UInt64(left.count)
        let suspects = isDisguised ? left : left.filter { !$0.isExact }
        try await unmask(suspects, passes)
        try await tellMissing(left, passes, &recent, suspects: Set(suspects.map(\.identity)))
    }

    /// Documents that differ, with their fields. Each chunk of the first side is read once, and
    /// what is found is told in the order of the second side.
    private static func samples(
        _ pairs: [(first: ComparedContent.Place, second: ComparedContent.Place)],
        in content: ComparedContent, _ recent: inout RecentContent
    ) async throws -> [NamespaceDifference.Differing] {
        var samples: [ComparedContent.Place: NamespaceDifference.Differing] = [:]
        for pair in pairs.sorted(by: { $0.first < $1.first }) {
            let own = try await recent[pair.first.sequence]
            let excerpt = try DocumentExcerpt(own.bytes(pair.first), content.bytes(pair.second))
            samples[pair.second] = NamespaceDifference.Differing(
                id: DocumentExcerpt.shown(try own.identifier(pair.first)),
                fields: try FieldDifference.between(excerpt.first, excerpt.second))
        }
        return pairs.compactMap { samples[$0.second] }
    }

    /// Finds documents that have a counterpart all the same: by a collation, or as numbers of other
    /// types, `_id`s are equal whose bytes are not. Such a document is overwritten by a restore.
    private mutating func unmask(
        _ suspects: [ComparedContent.Entry], _ passes: DocumentPasses
    ) async throws {
        guard !suspects.isEmpty else { return }
        let places = Dictionary(grouping: suspects.map(\.place), by: \.sequence)
        let told = Set(difference.onlyInSecond)
        var (found, matched): (UInt64, Set<BSONValue>) = (0, [])
        for (sequence, places) in places.sorted(by: { $0.key < $1.key }) {
            let content = try await passes.first.content(sequence)
            let ids = try places.map { try content.identifier($0) }
            let others = try await passes.second.counterparts(of: ids)
            found += UInt64(others.count)
            for id in others.map(DocumentExcerpt.shown) where told.contains(id) {
                matched.insert(id)
            }
        }
        disguised.count += found
        disguised.ids.formUnion(matched)
    }

    /// Looks again at the first few documents that are only on the first side, chunk by chunk.
    private mutating func tellMissing(
        _ left: [ComparedContent.Entry], _ passes: DocumentPasses,
        _ recent: inout RecentContent, suspects: Set<DocumentIdentity>
    ) async throws {
        for entry in left.prefix(max(Self.sampleAttemptCountMax, options.sampleCount))
        where difference.onlyInFirst.count < options.sampleCount {
            let id = try await recent[entry.place.sequence].identifier(entry.place)
            if suspects.contains(entry.identity) {
                guard try await passes.second.counterparts(of: [id]).isEmpty else { continue }
            }
            difference.onlyInFirst.append(DocumentExcerpt.shown(id))
        }
    }
}

/// The last chunk that documents were looked up in: samples come from few chunks, and many of them
/// from the same.
private struct RecentContent {
    private let documents: ArchivedDocuments
    private var last: (sequence: UInt32, content: ComparedContent)?

    init(_ documents: ArchivedDocuments) {
        self.documents = documents
    }

    subscript(sequence: UInt32) -> ComparedContent {
        mutating get async throws {
            if let last, last.sequence == sequence { return last.content }
            // Let go of first, for both may be large.
            last = nil
            let content = try await documents.content(sequence)
            last = (sequence, content)
            return content
        }
    }
}
