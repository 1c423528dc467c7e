internal import ArchiveFormat
internal import BSONBytes

/// One side of a comparison: the documents of a collection, of an archive or of a server.
protocol ComparedDocuments: Sendable {
    /// Whether its `_id`s may be equal although their bytes are not, by a collation.
    var hasCollation: Bool { get }

    /// `_id`s of documents that are equal to some of these as the server takes it.
    func counterparts(of ids: [BSONValue]) async throws -> [BSONValue]

    /// How many there are to be read; of a collection that is written to, about.
    var documentCount: UInt64 { get }

    /// Reads all documents once and gives those of one part of all, a chunk or a reply at a time.
    ///
    /// - Parameters:
    ///   - part, count: which documents, by `DocumentIdentity.part`.
    ///   - width: how many chunks may be decoded at once.
    /// - Throws: `ArchiveError` for a damaged chunk, `BSONError` for a damaged document,
    ///   `MongoError`.
    func scan(
        part: Int, of count: Int, width: Int, _ take: (ComparedContent) async throws -> Void
    ) async throws
}

extension ComparedDocuments {
    var hasCollation: Bool { false }

    func counterparts(of ids: [BSONValue]) async throws -> [BSONValue] { [] }
}

/// Some documents of one side of a comparison.
struct ComparedContent: Sendable {
    /// A document, by what it is known by and what it is.
    struct Entry: Sendable {
        let identity: DocumentIdentity
        let content: DocumentFingerprint
        let place: Place
        /// Whether no document of another identity can have an equal `_id`.
        let isExact: Bool
    }

    /// Where a document is: the chunk, and where in its decoded bytes; within a reply of a server
    /// the chunk is 0.
    struct Place: Hashable, Comparable, Sendable {
        let sequence: UInt32
        let offset: UInt32
        let byteCount: UInt32

        static func < (left: Place, right: Place) -> Bool {
            (left.sequence, left.offset) < (right.sequence, right.offset)
        }
    }

    private(set) var entries: [Entry] = []
    let bytes: [UInt8]

    /// Documents that lie in `bytes`.
    ///
    /// - Parameters:
    ///   - ranges: runs of whole documents.
    ///   - part, count: which of them belong to it.
    init(
        _ bytes: [UInt8], _ ranges: [Range<Int>], sequence: UInt32, part: Int, of count: Int
    ) throws {
        var entries: [Entry] = []
        try bytes.withUnsafeBytes { bytes in
            for range in ranges {
                var offset = range.lowerBound
                while offset < range.upperBound {
                    let byteCount = try BSONFraming.documentByteCount(in: bytes, at: offset)
                    let document = UnsafeRawBufferPointer(
                        rebasing: bytes[offset..<offset + byteCount])
                    let identity = try DocumentIdentity(document)
                    if identity.part(of: count) == part {
                        var content = DocumentFingerprint()
                        content.add(document)
                        let place = Place(
                            sequence: sequence, offset: UInt32(offset),
                            byteCount: UInt32(byteCount))
                        entries.append(
                            Entry(
                                identity: identity, content: content, place: place,
                                isExact: try DocumentIdentity.isExact(document)))
                    }
                    offset += byteCount
                }
            }
        }
        self.entries = entries
        self.bytes = bytes
    }

    /// The bytes of one of its documents.
    func bytes(_ place: Place) -> ArraySlice<UInt8> {
        let start = Int(place.offset)
        return bytes[start..<start + Int(place.byteCount)]
    }

    /// One of its documents.
    func document(_ place: Place) throws -> BSONDocument {
        try BSONDocument(validating: Array(bytes(place)))
    }

    /// The `_id` of one of its documents, a copy of its own; null where there is none.
    func identifier(_ place: Place) throws -> BSONValue {
        try DocumentRun.identifier(bytes(place)) ?? BSONValue(type: .null, bytes: [])
    }
}

/// Finds out document by document what a collection of an archive and another side have in common:
/// the archive's documents go into a table, the other side's are looked up in it. What does not fit
/// in memory is compared in several passes, each about a part of all `_id`s.
struct DocumentPasses: Sendable {
    /// About how many bytes a document takes in the table, by what 500,000 of them took of a
    /// process's peak.
    private static let entryByteCount = 256

    /// What was found of a document of the second side.
    enum Verdict {
        /// The first has the very same.
        case equal
        /// The first has this one with the same `_id`.
        case differing(ComparedContent.Entry)
        /// The first has none with its `_id`.
        case onlyInSecond
    }

    let first: ArchivedDocuments
    let second: any ComparedDocuments
    /// How many chunks may be decoded at once.
    let width: Int

    /// How many passes it takes to stay within so many bytes.
    ///
    /// - Parameter holdsSecond: whether what only the second side has is remembered as well.
    func count(memoryByteCount: Int, holdsSecond: Bool = false) -> Int {
        let documentCount =
            holdsSecond ? max(first.documentCount, second.documentCount) : first.documentCount
        let entryCountMax = max(1, memoryByteCount / Self.entryByteCount)
        return Int(clamping: documentCount / UInt64(entryCountMax)) + 1
    }

    /// One pass over both sides.
    ///
    /// - Parameters:
    ///   - judge: called for each document of the second side that belongs to the pass.
    ///   - finish: called when that was done for all documents of a chunk or a reply.
    /// - Returns: documents that only the first side has, in the archive's order.
    func run(
        _ pass: Int, of count: Int,
        _ judge: (Verdict, ComparedContent.Entry, ComparedContent) throws -> Void,
        finish: (ComparedContent) async throws -> Void = { _ in }
    ) async throws -> [ComparedContent.Entry] {
        var table: [DocumentIdentity: ComparedContent.Entry] = [:]
        table.reserveCapacity(Int(clamping: first.documentCount) / count)
        try await first.scan(part: pass, of: count, width: width) { content in
            for entry in content.entries { table[entry.identity] = entry }
        }
        try await second.scan(part: pass, of: count, width: width) { content in
            for entry in content.entries {
                guard let other = table.removeValue(forKey: entry.identity) else {
                    try judge(.onlyInSecond, entry, content)
                    continue
                }
                try judge(
                    other.content == entry.content ? .equal : .differing(other), entry, content)
            }
            try await finish(content)
        }
        return table.values.sorted { $0.place < $1.place }
    }
}
