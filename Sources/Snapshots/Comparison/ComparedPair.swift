internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// The same collection in two snapshots.
struct ComparedPair {
    /// About how many bytes a document takes in the table, by what 500,000 of them took of a
    /// process's peak.
    private static let entryByteCount = 256

    private var first: ComparedCollection
    private var second: ComparedCollection
    private let options: Comparison.Options
    private var difference: NamespaceDifference

    init(
        _ first: ComparedCollection, _ second: ComparedCollection, _ options: Comparison.Options
    ) {
        self.first = first
        self.second = second
        self.options = options
        difference = NamespaceDifference(first.entry.descriptor.namespace)
    }

    /// - Throws: `ArchiveError`, `BSONError`.
    consuming func difference() async throws -> NamespaceDifference {
        try compareDescriptors()
        let (left, right) = (first.entry.totals, second.entry.totals)
        if left.documentCount == right.documentCount, left.fingerprint == right.fingerprint {
            difference.equalCount = left.documentCount
            return difference
        }
        skipEqualChunks()
        let count = first.sequences.reduce(0) { $0 + first.documentCount($1) }
        let passCount =
            Int(count) * Self.entryByteCount / max(1, options.memoryByteCount) + 1
        for pass in 0..<passCount { try await compare(part: pass, of: passCount) }
        return difference
    }

    private mutating func compareDescriptors() throws {
        let (left, right) = (first.entry.descriptor, second.entry.descriptor)
        difference.optionsDiffer = left.type != right.type || left.options != right.options
        let (own, other) = (try Self.byName(left.indexes), try Self.byName(right.indexes))
        difference.indexes = Set(own.keys).union(other.keys).filter { own[$0] != other[$0] }
            .sorted()
    }

    private static func byName(_ indexes: [BSONDocument]) throws -> [String: BSONDocument] {
        Dictionary(
            try indexes.map { (try $0.require("name", \.string), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Leaves out chunks that both have: an `_id` is in a collection once, so none of their
    /// documents has a counterpart elsewhere.
    private mutating func skipEqualChunks() {
        var left: [ComparedCollection.Likeness: Int] = [:]
        for sequence in first.sequences {
            if let likeness = first.likeness(sequence) { left[likeness, default: 0] += 1 }
        }
        var both: [ComparedCollection.Likeness: Int] = [:]
        second.sequences = second.sequences.filter { sequence in
            guard let likeness = second.likeness(sequence), let count = left[likeness], count > 0
            else { return true }
            left[likeness] = count - 1
            both[likeness, default: 0] += 1
            difference.equalCount += second.documentCount(sequence)
            return false
        }
        first.sequences = first.sequences.filter { sequence in
            guard let likeness = first.likeness(sequence), let count = both[likeness], count > 0
            else { return true }
            both[likeness] = count - 1
            return false
        }
    }

    private mutating func compare(part: Int, of count: Int) async throws {
        difference.decodedChunkCount += first.sequences.count + second.sequences.count
        var table: [DocumentIdentity: ComparedCollection.Entry] = [:]
        try await scan(first, part, count) { content in
            for entry in content.entries { table[entry.identity] = entry }
        }
        var differing: [(ComparedCollection.Entry, BSONDocument)] = []
        let sampleCount = options.sampleCount
        var found = difference
        try await scan(second, part, count) { content in
            for entry in content.entries {
                guard let other = table.removeValue(forKey: entry.identity) else {
                    found.onlyInSecondCount += 1
                    if found.onlyInSecond.count < sampleCount {
                        found.onlyInSecond.append(try content.document(entry.place).identifier)
                    }
                    continue
                }
                guard other.content != entry.content else {
                    found.equalCount += 1
                    continue
                }
                found.differingCount += 1
                if found.differing.count + differing.count < sampleCount {
                    differing.append((other, try content.document(entry.place)))
                }
            }
        }
        difference = found
        difference.onlyInFirstCount += UInt64(table.count)
        try await tell(differing, table)
    }

    /// Looks again at the first few documents of the first snapshot that differ or are only there.
    private mutating func tell(
        _ differing: [(ComparedCollection.Entry, BSONDocument)],
        _ left: [DocumentIdentity: ComparedCollection.Entry]
    ) async throws {
        for (entry, other) in differing {
            let own = try await first.document(entry.place)
            difference.differing.append(
                NamespaceDifference.Differing(
                    id: try other.identifier, fields: try FieldDifference.between(own, other)))
        }
        let missing = options.sampleCount - difference.onlyInFirst.count
        guard missing > 0 else { return }
        let places = left.values.map(\.place).sorted {
            ($0.sequence, $0.offset) < ($1.sequence, $1.offset)
        }
        for place in places.prefix(missing) {
            difference.onlyInFirst.append(try await first.document(place).identifier)
        }
    }

    private func scan(
        _ collection: ComparedCollection, _ part: Int, _ count: Int,
        _ take: (ComparedCollection.Content) throws -> Void
    ) async throws {
        var waiting = collection.sequences[...]
        try await withOrderedWindow(
            width: options.width, next: { waiting.popFirst() },
            transform: { (sequence: UInt32) async throws -> ComparedCollection.Content in
                try await collection.content(sequence, part: part, of: count)
            },
            deliver: take)
    }
}

extension BSONDocument {
    /// The `_id`; null where there is none.
    fileprivate var identifier: BSONValue {
        get throws { try first("_id") ?? BSONValue(type: .null, bytes: []) }
    }
}
