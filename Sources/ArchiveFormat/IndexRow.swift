public import BSONBytes

/// One chunk, as the index knows it: 160 bytes, so that row n is found by arithmetic. Layout:
/// `formats/archive.md`, section 6.3.
public struct IndexRow: Hashable, Sendable {
    public static let byteCount = 160

    /// Where the frame starts in the file.
    public var offset: UInt64
    public var storedByteCount: UInt64
    public var rawByteCount: UInt64
    public var documentByteCount: UInt64
    public var documentCount: UInt32
    public var blockCount: UInt32
    public var namespaceOrdinal: UInt32
    public var kind: ChunkKind
    public var documentCRC64: UInt64
    /// Smallest and largest `_id` in the chunk; nil when unknown or of several namespaces.
    public var keys: ClosedRange<DocumentKey>?
    /// Hash of the whole frame as stored.
    public var sha256: SHA256Digest

    /// The row of a chunk that starts at `offset`.
    public init(_ chunk: EncodedChunk, offset: UInt64, sha256: SHA256Digest) {
        self.offset = offset
        storedByteCount = chunk.header.storedByteCount
        rawByteCount = chunk.header.rawByteCount
        documentByteCount = chunk.header.documentByteCount
        documentCount = chunk.header.documentCount
        blockCount = chunk.header.blockCount
        namespaceOrdinal = chunk.header.namespaceOrdinal
        kind = chunk.header.kind
        documentCRC64 = chunk.header.documentCRC64
        keys = chunk.keys
        self.sha256 = sha256
    }

    func encoded() -> [UInt8] {
        let smallest = keys?.lowerBound.bytes ?? []
        let largest = keys?.upperBound.bytes ?? []
        var writer = ByteFieldWriter()
        writer.append(offset)
        writer.append(storedByteCount)
        writer.append(rawByteCount)
        writer.append(documentByteCount)
        writer.append(documentCount)
        writer.append(blockCount)
        writer.append(namespaceOrdinal)
        writer.append(kind.rawValue)
        writer.append(UInt8(smallest.count))
        writer.append(UInt8(largest.count))
        writer.append(UInt8(0))
        writer.append(documentCRC64)
        writer.append(smallest, paddedTo: DocumentKey.byteCountMax)
        writer.append(largest, paddedTo: DocumentKey.byteCountMax)
        writer.append(sha256.bytes)
        writer.append(UInt64(0))
        return writer.bytes
    }

    /// - Throws: `lengthOutOfBounds`, `malformed`.
    init(decoding bytes: ArraySlice<UInt8>) throws(ArchiveError) {
        var reader = ByteFieldReader(bytes)
        offset = try reader.integer()
        storedByteCount = try reader.integer()
        rawByteCount = try reader.integer()
        documentByteCount = try reader.integer()
        documentCount = try reader.integer()
        blockCount = try reader.integer()
        namespaceOrdinal = try reader.integer()
        guard let kind = ChunkKind(rawValue: try reader.integer()), kind.holdsBlocks else {
            throw ArchiveError(.malformed, "an index row has an unknown kind")
        }
        self.kind = kind
        let smallestByteCount = Int(try reader.integer(UInt8.self))
        let largestByteCount = Int(try reader.integer(UInt8.self))
        let firstReserved: UInt8 = try reader.integer()
        documentCRC64 = try reader.integer()
        let smallest = try reader.take(DocumentKey.byteCountMax)
        let largest = try reader.take(DocumentKey.byteCountMax)
        let digestBytes = try reader.take(SHA256Digest.byteCount)
        let lastReserved: UInt64 = try reader.integer()
        guard firstReserved == 0, lastReserved == 0 else {
            throw ArchiveError(.malformed, "a reserved field of an index row is not 0")
        }
        guard let digest = SHA256Digest(bytes: digestBytes),
            max(smallestByteCount, largestByteCount) <= DocumentKey.byteCountMax,
            storedByteCount <= UInt64(ArchiveLimits.chunkStoredByteCountMax),
            rawByteCount <= UInt64(ArchiveLimits.chunkRawByteCountMax),
            documentByteCount <= UInt64(ArchiveLimits.chunkRawByteCountMax)
        else { throw ArchiveError(.lengthOutOfBounds, "an index row's length is out of bounds") }
        sha256 = digest
        keys = try Self.keys(
            smallest: (smallest, smallestByteCount), largest: (largest, largestByteCount))
    }

    /// The range of keys, each a field and how many of its bytes are the key; nil when both are
    /// none.
    private static func keys(
        smallest: (field: ArraySlice<UInt8>, byteCount: Int),
        largest: (field: ArraySlice<UInt8>, byteCount: Int)
    ) throws(ArchiveError) -> ClosedRange<DocumentKey>? {
        let padding = [smallest, largest].flatMap { $0.field.dropFirst($0.byteCount) }
        let low = DocumentKey(bytes: smallest.field.prefix(smallest.byteCount))
        let high = DocumentKey(bytes: largest.field.prefix(largest.byteCount))
        guard padding.allSatisfy({ $0 == 0 }), (low == nil) == (high == nil) else {
            throw ArchiveError(.malformed, "the keys of an index row are damaged")
        }
        guard let low, let high else { return nil }
        guard low <= high else {
            throw ArchiveError(.malformed, "the keys of an index row are out of order")
        }
        return low...high
    }

    /// Whether a frame's own header says the same as this row.
    public func matches(_ header: ChunkHeader) -> Bool {
        header.storedByteCount == storedByteCount && header.rawByteCount == rawByteCount
            && header.documentByteCount == documentByteCount
            && header.documentCount == documentCount && header.blockCount == blockCount
            && header.namespaceOrdinal == namespaceOrdinal && header.kind == kind
            && header.documentCRC64 == documentCRC64
    }
}
