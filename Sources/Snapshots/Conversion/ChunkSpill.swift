internal import ArchiveFormat
internal import ObjectStorage

/// Chunks that wait in a temporary file until their namespace's turn comes: compressed quickly,
/// checked when they come back.
actor ChunkSpill {
    /// A chunk in the file.
    struct Ticket: Sendable {
        fileprivate let offset: UInt64
        fileprivate let byteCount: Int
        fileprivate let header: ChunkHeader
        fileprivate let segments: [RawChunk.Segment]
    }

    private let file: TemporaryFile
    private let compression: Compression

    /// Makes the file, which has no name and is gone with this object.
    ///
    /// - Throws: `ObjectStorageError`.
    init(folder: String) throws {
        file = try TemporaryFile(folder: folder)
        compression = try Compression(.lz4)
    }

    /// - Throws: `ObjectStorageError`, `ArchiveError`.
    func put(_ chunk: RawChunk) throws -> Ticket {
        let encoded = try EncodedChunk(chunk, sequence: 0, compression: compression)
        let offset = try file.append(encoded.stored)
        return Ticket(
            offset: offset, byteCount: encoded.stored.count, header: encoded.header,
            segments: chunk.segments)
    }

    /// - Throws: `ObjectStorageError`; `ArchiveError` when it is not what was put in.
    func take(_ ticket: Ticket) throws -> RawChunk {
        let stored = try file.read(at: ticket.offset, count: ticket.byteCount)
        let decoded = try DecodedChunk(stored: stored, header: ticket.header)
        return RawChunk(
            kind: ticket.header.kind, namespaceOrdinal: ticket.header.namespaceOrdinal,
            bytes: decoded.bytes, segments: ticket.segments,
            blockCount: Int(ticket.header.blockCount))
    }
}
