/// One independent unit of the container: a gzip member whose FEXTRA field holds the chunk header,
/// or a skippable frame with the chunk header and the zstd or lz4 frame behind it. Layout:
/// `formats/archive.md`, section 3.
public enum Frame {
    /// Subfield identifier in a gzip member's FEXTRA field: "CN".
    public static let gzipSubfieldID: [UInt8] = [0x43, 0x4E]
    /// Magic number of the skippable frame in front of zstd and lz4 frames, as its four bytes.
    public static let skippableMagic: [UInt8] = [0x5C, 0x2A, 0x4D, 0x18]
    /// Deflate of nothing, CRC-32 and length of nothing: the body of a gzip member that decodes to
    /// nothing.
    static let emptyGzipBody: [UInt8] = [0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    /// Bytes from the start of a frame to the end of its chunk header.
    public static func headByteCount(_ codec: Codec) -> Int {
        prefixByteCount(codec) + ChunkHeader.byteCount
    }

    /// The most bytes that any codec's head has: reading so many is enough to know what a frame is.
    public static let headByteCountMax = 16 + ChunkHeader.byteCount

    /// Whether bytes start like a gzip member of this format. The subfield's identifier or the
    /// chunk header's magic number is enough: with one of them damaged it is a damaged chunk, not
    /// another format.
    static func isGzipFrame(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
            && (bytes.dropFirst(12).starts(with: gzipSubfieldID)
                || bytes.dropFirst(16).starts(with: ChunkHeader.magic))
    }

    /// Whether a gzip member has an extra field of the length that a chunk's has.
    public static func hasExtraFieldOfChunk(_ head: [UInt8]) -> Bool {
        let byteCount = ChunkHeader.byteCount + 4
        return head.count > 11 && head[3] & 4 != 0
            && Int(head[10]) | Int(head[11]) << 8 == byteCount
    }

    /// Bytes of a frame that hides `sliceByteCount` bytes and decodes to nothing.
    public static func hiddenByteCount(_ codec: Codec, sliceByteCount: Int) -> Int {
        headByteCount(codec) + sliceByteCount + (codec == .gzip ? emptyGzipBody.count : 0)
    }

    /// Reads the head of a frame.
    ///
    /// - Parameter bytes: starts where the frame starts; more may follow.
    /// - Returns: the header, or nil when the bytes are no frame of this format (which says nothing
    ///   of other formats).
    /// - Throws: `truncated`, or what `ChunkHeader` throws for a damaged header.
    public static func header(at bytes: ArraySlice<UInt8>) throws(ArchiveError) -> ChunkHeader? {
        let prefixByteCount: Int
        if bytes.starts(with: skippableMagic) {
            prefixByteCount = 8
        } else if isGzipFrame(bytes) {
            prefixByteCount = 16
        } else {
            return nil
        }
        guard bytes.count >= prefixByteCount + ChunkHeader.byteCount else {
            throw ArchiveError(.truncated, "a frame's head is cut")
        }
        let fields = bytes.dropFirst(prefixByteCount).prefix(ChunkHeader.byteCount)
        let header = try ChunkHeader(decoding: fields)
        // The prefix follows from the header byte for byte, so a flipped byte in it cannot hide.
        guard bytes.starts(with: prefix(for: header)) else {
            throw ArchiveError(.malformed, "a frame's prefix does not fit its chunk header")
        }
        return header
    }

    /// The decoded bytes of a whole frame.
    ///
    /// - Parameter stored: exactly the frame; `header` is what `header(at:)` read from it.
    /// - Throws: `checksumMismatch` before anything is decoded, `codecFailed`.
    public static func decode(
        _ stored: [UInt8], header: ChunkHeader
    ) throws(ArchiveError) -> [UInt8] {
        try checkPayload(stored, header: header)
        return try stored.reading { bytes throws(ArchiveError) in
            try header.codec.coder.decode(
                UnsafeRawBufferPointer(rebasing: bytes[headByteCount(header.codec)...]),
                rawByteCount: Int(header.rawByteCount))
        }
    }

    /// What a frame that decodes to nothing hides: a slice of the index, or the trailer.
    ///
    /// - Throws: `checksumMismatch`, `malformed`.
    public static func hiddenBytes(
        of stored: [UInt8], header: ChunkHeader
    ) throws(ArchiveError) -> ArraySlice<UInt8> {
        try checkPayload(stored, header: header)
        let body = header.codec == .gzip ? emptyGzipBody : []
        guard stored.count >= headByteCount(header.codec) + body.count,
            stored.suffix(body.count).elementsEqual(body)
        else { throw ArchiveError(.malformed, "a hidden frame does not decode to nothing") }
        return stored.dropFirst(headByteCount(header.codec)).dropLast(body.count)
    }

    /// Compresses `raw` into a frame of its own.
    ///
    /// - Returns: the header with lengths and checksum filled in, and the frame.
    /// - Throws: `codecFailed`, `lengthOutOfBounds`.
    static func encode(
        _ raw: [UInt8], header: ChunkHeader, level: Int
    ) throws(ArchiveError) -> (header: ChunkHeader, stored: [UInt8]) {
        guard raw.count <= ArchiveLimits.chunkRawByteCountMax else {
            throw ArchiveError(.lengthOutOfBounds, "chunk of \(raw.count) bytes is too large")
        }
        var stored = [UInt8](repeating: 0, count: headByteCount(header.codec))
        try raw.reading { bytes throws(ArchiveError) in
            try header.codec.coder.encode(bytes, level: level, into: &stored)
        }
        var finished = header
        finished.rawByteCount = UInt64(raw.count)
        seal(&finished, &stored)
        return (finished, stored)
    }

    /// A frame that decodes to nothing and hides `slice`.
    static func encodeHidden(_ slice: some Collection<UInt8>, header: ChunkHeader) -> [UInt8] {
        precondition(slice.count <= ArchiveLimits.indexSliceByteCountMax, "a slice fits FEXTRA")
        var stored = [UInt8](repeating: 0, count: headByteCount(header.codec))
        stored.append(contentsOf: slice)
        if header.codec == .gzip { stored.append(contentsOf: emptyGzipBody) }
        var finished = header
        seal(&finished, &stored)
        return stored
    }

    private static func seal(_ header: inout ChunkHeader, _ stored: inout [UInt8]) {
        header.storedByteCount = UInt64(stored.count)
        header.payloadCRC64 = payloadChecksum(stored, headByteCount(header.codec))
        putHead(header, to: &stored)
    }

    /// Writes prefix and header of a whole frame anew; nothing behind them changes.
    static func putHead(_ header: ChunkHeader, to stored: inout [UInt8]) {
        let head = prefix(for: header) + header.encoded()
        stored.replaceSubrange(0..<headByteCount(header.codec), with: head)
    }

    /// Reads the chunk header of a whole frame, and puts right the bytes before it, which follow
    /// from it.
    ///
    /// - Throws: what `ChunkHeader` throws, `truncated`.
    public static func restoreHead(
        of stored: inout [UInt8], codec: Codec
    ) throws(ArchiveError) -> ChunkHeader {
        let headByteCount = headByteCount(codec)
        guard stored.count >= headByteCount else {
            throw ArchiveError(.truncated, "a frame's head is cut")
        }
        let header = try ChunkHeader(decoding: stored[prefixByteCount(codec)..<headByteCount])
        guard header.codec == codec else {
            throw ArchiveError(.malformed, "a chunk of another codec")
        }
        putHead(header, to: &stored)
        return header
    }

    private static func checkPayload(
        _ stored: [UInt8], header: ChunkHeader
    ) throws(ArchiveError) {
        guard stored.count == Int(header.storedByteCount) else {
            throw ArchiveError(.truncated, "frame is cut")
        }
        guard payloadChecksum(stored, headByteCount(header.codec)) == header.payloadCRC64 else {
            throw ArchiveError(.checksumMismatch, "checksum of the stored bytes does not match")
        }
    }

    private static func payloadChecksum(_ stored: [UInt8], _ headByteCount: Int) -> UInt64 {
        stored.withUnsafeBytes {
            CRC64.checksum(UnsafeRawBufferPointer(rebasing: $0[headByteCount...]))
        }
    }

    private static func prefixByteCount(_ codec: Codec) -> Int {
        codec == .gzip ? 16 : 8
    }

    /// The bytes in front of the chunk header; they follow from it.
    private static func prefix(for header: ChunkHeader) -> [UInt8] {
        var writer = ByteFieldWriter()
        let hidden =
            header.kind.holdsBlocks
            ? 0 : Int(header.storedByteCount) - hiddenByteCount(header.codec, sliceByteCount: 0)
        let fieldByteCount = ChunkHeader.byteCount + max(0, hidden)
        switch header.codec {
        case .gzip:
            // ID1 ID2, deflate, FEXTRA only, no time, no flags, unknown system.
            writer.append([0x1F, 0x8B, 0x08, 0x04, 0, 0, 0, 0, 0, 0xFF] as [UInt8])
            writer.append(UInt16(truncatingIfNeeded: fieldByteCount + 4))
            writer.append(gzipSubfieldID)
            writer.append(UInt16(truncatingIfNeeded: fieldByteCount))
        case .zstd, .lz4:
            writer.append(skippableMagic)
            writer.append(UInt32(truncatingIfNeeded: fieldByteCount))
        }
        return writer.bytes
    }
}
