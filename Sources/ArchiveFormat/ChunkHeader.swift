/// What a frame holds. The raw value is a byte of the chunk header (`formats/archive.md`, section
/// 4).
public enum ChunkKind: UInt8, Sendable, CaseIterable {
    /// The magic number, the header document and the collection metadata.
    case prelude = 1
    /// Blocks of users, roles and the authorization schema; always before the first data.
    case special = 2
    /// Blocks of documents of one namespace.
    case data = 3
    /// The block that ends one namespace.
    case end = 4
    /// Whole small namespaces, one after another, each with its end.
    case mixed = 5
    /// A slice of the index; decodes to nothing.
    case index = 7
    /// The trailer; decodes to nothing.
    case trailer = 8

    /// Whether the frame is part of the mongodump archive, rather than hidden from it.
    public var holdsBlocks: Bool { self != .index && self != .trailer }

    /// Whether its blocks may hold documents.
    public var holdsDocuments: Bool { self == .special || self == .data || self == .mixed }
}

/// What every frame says of itself, in the same 72 bytes for every codec, so that a file without
/// its index can be walked from header to header. Layout: `formats/archive.md`, section 4.
public struct ChunkHeader: Hashable, Sendable {
    public static let byteCount = 72
    /// "CRNC": where a chunk header starts.
    public static let magic: [UInt8] = [0x43, 0x52, 0x4E, 0x43]
    public static let formatVersion: UInt8 = 1
    /// The ordinal of a chunk that belongs to no single namespace.
    public static let noNamespace = UInt32.max

    public var kind: ChunkKind
    public var codec: Codec
    /// Place of the chunk in the file, from 0; index slices and the trailer count on.
    public var sequence: UInt32
    /// Position of the namespace in the prelude, from 0, or `noNamespace`.
    public var namespaceOrdinal: UInt32
    /// Bytes of the whole frame in the file, this header included.
    public var storedByteCount: UInt64
    /// Bytes that the frame decodes to.
    public var rawByteCount: UInt64
    public var documentCount: UInt32
    public var blockCount: UInt32
    public var documentByteCount: UInt64
    /// CRC-64 of the documents' bytes in their order, without block headers and terminators.
    public var documentCRC64: UInt64
    /// CRC-64 of the stored bytes behind this header.
    public var payloadCRC64: UInt64

    /// The 72 bytes, the last eight of them the CRC-64 of the others.
    public func encoded() -> [UInt8] {
        var writer = ByteFieldWriter()
        writer.append(Self.magic)
        writer.append(Self.formatVersion)
        writer.append(kind.rawValue)
        writer.append(codec.rawValue)
        writer.append(UInt8(0))
        writer.append(sequence)
        writer.append(namespaceOrdinal)
        writer.append(storedByteCount)
        writer.append(rawByteCount)
        writer.append(documentCount)
        writer.append(blockCount)
        writer.append(documentByteCount)
        writer.append(documentCRC64)
        writer.append(payloadCRC64)
        writer.append(writer.bytes.withUnsafeBytes { CRC64.checksum($0) })
        return writer.bytes
    }

    /// Reads 72 bytes and checks them against each other and against `ArchiveLimits`.
    ///
    /// - Throws: `malformed` without the magic number, `checksumMismatch`, `unsupportedVersion`,
    ///   `lengthOutOfBounds`.
    public init(decoding bytes: some Collection<UInt8>) throws(ArchiveError) {
        var reader = ByteFieldReader(bytes)
        let covered = Array(bytes.prefix(Self.byteCount - 8))
        guard try reader.take(4).elementsEqual(Self.magic) else {
            throw ArchiveError(.malformed, "no chunk header where one must be")
        }
        let version: UInt8 = try reader.integer()
        let kindByte: UInt8 = try reader.integer()
        let codecByte: UInt8 = try reader.integer()
        let reserved: UInt8 = try reader.integer()
        sequence = try reader.integer()
        namespaceOrdinal = try reader.integer()
        storedByteCount = try reader.integer()
        rawByteCount = try reader.integer()
        documentCount = try reader.integer()
        blockCount = try reader.integer()
        documentByteCount = try reader.integer()
        documentCRC64 = try reader.integer()
        payloadCRC64 = try reader.integer()
        guard try reader.integer() == covered.withUnsafeBytes({ CRC64.checksum($0) }) else {
            throw ArchiveError(.checksumMismatch, "chunk header's checksum does not match")
        }
        guard version == Self.formatVersion else {
            throw ArchiveError(
                .unsupportedVersion,
                "archive format version \(version) is unknown; this reader knows version 1")
        }
        guard let kind = ChunkKind(rawValue: kindByte), let codec = Codec(rawValue: codecByte),
            reserved == 0
        else { throw ArchiveError(.unsupportedVersion, "chunk has an unknown kind or codec") }
        self.kind = kind
        self.codec = codec
        try checkBounds()
    }

    private func checkBounds() throws(ArchiveError) {
        let least = UInt64(Frame.headByteCount(codec))
        guard storedByteCount >= least,
            storedByteCount <= UInt64(ArchiveLimits.chunkStoredByteCountMax)
        else {
            throw ArchiveError(
                .lengthOutOfBounds, "stored length \(storedByteCount) is out of bounds")
        }
        guard rawByteCount <= UInt64(ArchiveLimits.chunkRawByteCountMax),
            kind.holdsBlocks == (rawByteCount > 0)
        else {
            throw ArchiveError(.lengthOutOfBounds, "raw length \(rawByteCount) is out of bounds")
        }
        guard documentByteCount <= rawByteCount,
            UInt64(documentCount) * 5 <= documentByteCount || documentCount == 0,
            UInt64(blockCount) * 5 <= rawByteCount
        else { throw ArchiveError(.lengthOutOfBounds, "chunk's counts do not fit its length") }
    }

    /// Makes the header of a new frame; lengths and checksums that are known later are filled in by
    /// `Frame`.
    init(kind: ChunkKind, codec: Codec, sequence: UInt32, namespaceOrdinal: UInt32 = noNamespace) {
        self.kind = kind
        self.codec = codec
        self.sequence = sequence
        self.namespaceOrdinal = namespaceOrdinal
        storedByteCount = 0
        rawByteCount = 0
        documentCount = 0
        blockCount = 0
        documentByteCount = 0
        documentCRC64 = 0
        payloadCRC64 = 0
    }
}
