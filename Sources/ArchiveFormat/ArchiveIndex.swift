internal import BSONBytes

/// Manifest and rows: the table of contents, sealed by the trailer (`formats/archive.md`, section
/// 6).
public struct ArchiveIndex: Hashable, Sendable {
    public var manifest: Manifest
    /// One for each chunk, in file order.
    public var rows: [IndexRow]

    public init(manifest: Manifest, rows: [IndexRow]) {
        self.manifest = manifest
        self.rows = rows
    }

    /// The end of an archive: index frames and trailer, ready to be written behind the last chunk.
    ///
    /// - Parameter offset: where they start in the file.
    /// - Returns: the bytes and the hash that stands for the whole archive.
    /// - Throws: `lengthOutOfBounds` when the manifest is too large.
    public func frames(at offset: UInt64) throws(ArchiveError) -> (
        bytes: [UInt8], seal: SHA256Digest
    ) {
        let manifestBytes = manifest.document.bytes
        guard manifestBytes.count <= ArchiveLimits.manifestByteCountMax else {
            throw ArchiveError(.lengthOutOfBounds, "the manifest is too large")
        }
        let content = rows.reduce(into: manifestBytes) { $0 += $1.encoded() }
        let codec = manifest.compression.codec
        var sequence = UInt32(rows.count)
        var frames: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: ArchiveLimits.indexSliceByteCountMax) {
            let end = min(content.count, start + ArchiveLimits.indexSliceByteCountMax)
            frames += Frame.encodeHidden(
                content[start..<end],
                header: ChunkHeader(kind: .index, codec: codec, sequence: sequence))
            sequence += 1
        }
        let trailer = ArchiveTrailer(
            indexOffset: offset, indexStoredByteCount: UInt64(frames.count),
            manifestByteCount: UInt64(manifestBytes.count), chunkCount: UInt64(rows.count),
            indexSHA256: SHA256Digest(of: content))
        return (frames + trailer.frame(codec: codec, sequence: sequence), trailer.indexSHA256)
    }

    /// Puts the index together from the hidden bytes of its frames, in their order.
    ///
    /// - Throws: `checksumMismatch` when they are not what the trailer seals, `malformed`,
    ///   `lengthOutOfBounds`.
    public init(content: [UInt8], trailer: ArchiveTrailer) throws(ArchiveError) {
        guard SHA256Digest(of: content) == trailer.indexSHA256 else {
            throw ArchiveError(.checksumMismatch, "the index does not match the trailer's hash")
        }
        let manifestByteCount = Int(trailer.manifestByteCount)
        let chunkCount = Int(trailer.chunkCount)
        guard content.count == manifestByteCount + chunkCount * IndexRow.byteCount else {
            throw ArchiveError(.lengthOutOfBounds, "the index does not have its stated length")
        }
        manifest = try Manifest(bytes: Array(content[..<manifestByteCount]))
        rows = []
        rows.reserveCapacity(chunkCount)
        for start in stride(from: manifestByteCount, to: content.count, by: IndexRow.byteCount) {
            rows.append(try IndexRow(decoding: content[start..<start + IndexRow.byteCount]))
        }
        try checkChain(end: trailer.indexOffset)
    }

    /// Reads the index from its stored frames.
    ///
    /// - Parameter stored: all index frames, one after another, as the trailer says where they are.
    ///   `header` is that of the trailer's frame.
    /// - Throws: as `init(content:trailer:)`.
    public init(
        stored: [UInt8], trailer: ArchiveTrailer, header trailerHeader: ChunkHeader
    ) throws(ArchiveError) {
        var content: [UInt8] = []
        var rest = stored[...]
        var sequence = UInt32(clamping: trailer.chunkCount)
        while !rest.isEmpty {
            guard let header = try Frame.header(at: rest), header.kind == .index,
                header.storedByteCount <= UInt64(rest.count), header.sequence == sequence
            else { throw ArchiveError(.malformed, "the index is damaged") }
            sequence += 1
            let frame = Array(rest.prefix(Int(header.storedByteCount)))
            content += try Frame.hiddenBytes(of: frame, header: header)
            rest = rest.dropFirst(frame.count)
        }
        guard trailerHeader.sequence == sequence else {
            throw ArchiveError(.malformed, "an index frame is missing")
        }
        try self.init(content: content, trailer: trailer)
    }

    /// Chunks follow one another from the first byte to the index without a gap, and name only
    /// namespaces there are.
    private func checkChain(end: UInt64) throws(ArchiveError) {
        var offset: UInt64 = 0
        for row in rows {
            guard row.offset == offset else {
                throw ArchiveError(.malformed, "the index has a gap", offset: offset)
            }
            guard
                row.namespaceOrdinal == ChunkHeader.noNamespace
                    || row.namespaceOrdinal < UInt32(clamping: manifest.namespaces.count)
            else { throw ArchiveError(.malformed, "the index names an unknown namespace") }
            offset += row.storedByteCount
        }
        guard offset == end else {
            throw ArchiveError(.malformed, "the chunks do not reach the index", offset: offset)
        }
        for entry in manifest.namespaces {
            guard let last = entry.chunks?.upperBound else { continue }
            guard Int(last) < rows.count else {
                throw ArchiveError(.truncated, "the index has no row for chunk \(last)")
            }
        }
    }
}
