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
        _ = try reader.integer(UInt8.self)
        documentCRC64 = try reader.integer()
        let smallest = try reader.take(DocumentKey.byteCountMax).prefix(smallestByteCount)
        let largest = try reader.take(DocumentKey.byteCountMax).prefix(largestByteCount)
        if let low = DocumentKey(bytes: smallest), let high = DocumentKey(bytes: largest),
            low <= high
        {
            keys = low...high
        }
        guard let digest = SHA256Digest(bytes: try reader.take(SHA256Digest.byteCount)),
            storedByteCount <= UInt64(ArchiveLimits.chunkStoredByteCountMax),
            rawByteCount <= UInt64(ArchiveLimits.chunkRawByteCountMax)
        else { throw ArchiveError(.lengthOutOfBounds, "an index row's length is out of bounds") }
        sha256 = digest
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
