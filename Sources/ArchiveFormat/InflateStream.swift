internal import CZlib

/// Inflates a gzip file as a stream, member after member: for archives of other tools, whose single
/// member has no stated length. Output comes in pieces of a bounded size, whatever the ratio.
public final class InflateStream {
    /// Bytes of the largest piece of output.
    public static let pieceByteCount = 1024 * 1024

    private var stream = z_stream()
    private var input: [UInt8] = []
    private var position = 0
    private var isBetweenMembers = true

    /// - Throws: `codecFailed` when zlib has no memory.
    public init() throws(ArchiveError) {
        // 15 bits of window, plus 16 for the gzip wrapping.
        let status = inflateInit2_(
            &stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            throw ArchiveError(.codecFailed, "no memory for a gzip decompressor")
        }
    }

    deinit {
        inflateEnd(&stream)
    }

    /// Hands in the next compressed bytes; those before must have been used up (`next()` answered
    /// nil).
    public func feed(_ bytes: [UInt8]) {
        input = bytes
        position = 0
    }

    /// The next piece of output, or nil when more input is needed.
    ///
    /// - Throws: `codecFailed` for bytes that are no gzip stream or whose own checksum does not
    ///   match.
    public func next() throws(ArchiveError) -> [UInt8]? {
        while position < input.count {
            let piece = try inflateSome()
            if !piece.isEmpty { return piece }
        }
        return nil
    }

    /// Says that no input follows.
    ///
    /// - Throws: `truncated` when a member has not ended.
    public func finish() throws(ArchiveError) {
        guard isBetweenMembers else {
            throw ArchiveError(.truncated, "the gzip stream is cut")
        }
    }

    private func inflateSome() throws(ArchiveError) -> [UInt8] {
        var status: Int32 = Z_OK
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceByteCount) { output, count in
            input.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress.map { $0 + position }
                stream.avail_in = UInt32(source.count - position)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(Self.pieceByteCount)
                status = inflate(&stream, Z_NO_FLUSH)
                position = source.count - Int(stream.avail_in)
                count = Self.pieceByteCount - Int(stream.avail_out)
            }
        }
        switch status {
        case Z_OK, Z_BUF_ERROR:
            isBetweenMembers = false
        case Z_STREAM_END:
            isBetweenMembers = true
            inflateReset(&stream)
        default:
            throw ArchiveError(.codecFailed, "the gzip stream is damaged")
        }
        return piece
    }
}
