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

    init(_ namespace: Namespace, _ options: Comparison.Options) {
        self.options = options
        difference = NamespaceDifference(namespace)
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
        try difference.compareDefinitions(first, second)
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
        difference.decodedChunkCount += count * first.sequences.count
        return count
    }

    /// Tells of documents that the second side has no collection for.
    mutating func takeAsOnlyInFirst(_ first: ArchivedDocuments) async throws {
        difference.isInSecond = false
        difference.onlyInFirstCount = first.entry.totals.documentCount
        difference.onlyInFirst = try await first.firstDocuments(options.sampleCount)
            .map { try $0.identifier }
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
        var differing: [(ComparedContent.Entry, BSONDocument)] = []
        let sampleCount = options.sampleCount
        var found = difference
        var isDisguised = passes.second.hasCollation
        let left = try await passes.run(pass, of: count) { verdict, entry, content in
            switch verdict {
            case .equal:
                found.equalCount += 1
            case .onlyInSecond:
                found.onlyInSecondCount += 1
                isDisguised = isDisguised || !entry.isExact
                if found.onlyInSecond.count < sampleCount {
                    found.onlyInSecond.append(try content.document(entry.place).identifier)
                }
            case .differing(let other):
                found.differingCount += 1
                if found.differing.count + differing.count < sampleCount {
                    differing.append((other, try content.document(entry.place)))
                }
            }
        }
        difference = found
        difference.onlyInFirstCount += UInt64(left.count)
        let suspects = isDisguised ? left : left.filter { !$0.isExact }
        try await unmask(suspects, passes)
        try await tell(differing, left, passes, suspects: Set(suspects.map(\.identity)))
    }

    /// Finds documents that have a counterpart all the same: by a collation, or as numbers of other
    /// types, `_id`s are equal whose bytes are not. Such a document is overwritten by a restore.
    private mutating func unmask(
        _ suspects: [ComparedContent.Entry], _ passes: DocumentPasses
    ) async throws {
        guard !suspects.isEmpty, difference.onlyInSecondCount > 0 else { return }
        let places = Dictionary(grouping: suspects.map(\.place), by: \.sequence)
        var (found, matched): (UInt64, Set<BSONValue>) = (0, [])
        for (sequence, places) in places.sorted(by: { $0.key < $1.key }) {
            let content = try await passes.first.content(sequence)
            let ids = try places.map { try content.document($0).identifier }
            let documents = try await passes.second.counterparts(of: ids)
            found += UInt64(documents.count)
            for document in documents { matched.insert(try document.identifier) }
        }
        found = min(found, difference.onlyInSecondCount, difference.onlyInFirstCount)
        difference.onlyInFirstCount -= found
        difference.onlyInSecondCount -= found
        difference.differingCount += found
        difference.onlyInSecond.removeAll { matched.contains($0) }
    }

    /// Looks again at the first few documents of the first side that differ or are only there.
    private mutating func tell(
        _ differing: [(ComparedContent.Entry, BSONDocument)], _ left: [ComparedContent.Entry],
        _ passes: DocumentPasses, suspects: Set<DocumentIdentity>
    ) async throws {
        let first = passes.first
        for (entry, other) in differing {
            let own = try await first.document(entry.place)
            difference.differing.append(
                NamespaceDifference.Differing(
                    id: try own.identifier, fields: try FieldDifference.between(own, other)))
        }
        for entry in left.prefix(Self.sampleAttemptCountMax)
        where difference.onlyInFirst.count < options.sampleCount {
            let id = try await first.document(entry.place).identifier
            if suspects.contains(entry.identity) {
                guard try await passes.second.counterparts(of: [id]).isEmpty else { continue }
            }
            difference.onlyInFirst.append(id)
        }
    }
}
