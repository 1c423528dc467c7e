internal import CDeflate
internal import CISAL

/// The body of a gzip member: deflate, CRC-32, raw length. The member's header is the frame's.
///
/// Levels 1 to 3 are ISA-L's (5–10 times as fast a core as zlib), 4 to 12 libdeflate's (smaller and
/// faster than zlib at the same level). Decoding is ISA-L's for both: a tenth faster than
/// libdeflate's on documents.
struct GzipCoder: BlockCoder {
    /// CRC-32 and raw length behind the deflate stream.
    private static let trailerByteCount = 8
    private static let isalLevels = 1...3

    func encode(
        _ raw: UnsafeRawBufferPointer, level: Int, into stored: inout [UInt8]
    ) throws(ArchiveError) {
        let encoded =
            Self.isalLevels.contains(level)
            ? encodeWithISAL(raw, level: level, into: &stored)
            : encodeWithLibdeflate(raw, level: level, into: &stored)
        guard encoded else { throw ArchiveError(.codecFailed, "gzip level \(level) failed") }
        var trailer = ByteFieldWriter()
        trailer.append(Self.crc32(raw))
        trailer.append(UInt32(truncatingIfNeeded: raw.count))
        stored.append(contentsOf: trailer.bytes)
    }

    func decode(
        _ stored: UnsafeRawBufferPointer, rawByteCount: Int
    ) throws(ArchiveError) -> [UInt8] {
        guard stored.count > Self.trailerByteCount else {
            throw ArchiveError(.codecFailed, "gzip member is cut")
        }
        let deflated = stored.prefix(stored.count - Self.trailerByteCount)
        let raw = makeBytes(rawByteCount) { Self.inflate(deflated, into: $0) }
        guard let raw else {
            throw ArchiveError(.codecFailed, "gzip member does not decode to its stated length")
        }
        var trailer = ByteFieldReader(stored.suffix(Self.trailerByteCount))
        let checksum: UInt32 = try trailer.integer()
        let length: UInt32 = try trailer.integer()
        guard checksum == raw.withUnsafeBytes(Self.crc32),
            length == UInt32(truncatingIfNeeded: rawByteCount)
        else { throw ArchiveError(.checksumMismatch, "gzip member's own CRC-32 does not match") }
        return raw
    }

    /// Whether all of `deflated` is one deflate stream that fills all of `output`.
    private static func inflate(
        _ deflated: Slice<UnsafeRawBufferPointer>, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let input = UnsafeRawBufferPointer(rebasing: deflated)
        return withUnsafeTemporaryAllocation(of: inflate_state.self, capacity: 1) { storage in
            guard let state = storage.baseAddress else { return false }
            isal_inflate_init(state)
            state.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            state.pointee.avail_in = UInt32(input.count)
            state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(output.count)
            // What of the last byte the stream does not need stays in a bit buffer, and so may
            // whole bytes behind the stream.
            return isal_inflate_stateless(state) == ISAL_DECOMP_OK
                && state.pointee.block_state == ISAL_BLOCK_FINISH
                && state.pointee.total_out == output.count
                && state.pointee.avail_in == 0 && state.pointee.read_in_length < 8
        }
    }

    private func encodeWithISAL(
        _ raw: UnsafeRawBufferPointer, level: Int, into stored: inout [UInt8]
    ) -> Bool {
        // Incompressible input is stored in blocks of at most 65,535 bytes with 5 bytes in front of
        // each.
        let capacity = raw.count + (raw.count / 32_768 + 2) * 5 + 64
        let workspaceByteCount = Int(cisal_level_buffer_size(UInt32(level)))
        return withUnsafeTemporaryAllocation(
            byteCount: workspaceByteCount, alignment: 64
        ) { workspace in
            appendBytes(to: &stored, capacity: capacity) { output in
                var stream = isal_zstream()
                isal_deflate_stateless_init(&stream)
                stream.level = UInt32(level)
                stream.level_buf = workspace.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.level_buf_size = UInt32(workspaceByteCount)
                stream.gzip_flag = UInt16(IGZIP_DEFLATE)
                stream.end_of_stream = 1
                stream.next_in = UnsafeMutablePointer(
                    mutating: raw.baseAddress?.assumingMemoryBound(to: UInt8.self))
                stream.avail_in = UInt32(raw.count)
                stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(output.count)
                guard isal_deflate_stateless(&stream) == COMP_OK, stream.avail_in == 0 else {
                    return nil
                }
                return Int(stream.total_out)
            }
        }
    }

    private func encodeWithLibdeflate(
        _ raw: UnsafeRawBufferPointer, level: Int, into stored: inout [UInt8]
    ) -> Bool {
        guard let compressor = libdeflate_alloc_compressor(Int32(level)) else { return false }
        defer { libdeflate_free_compressor(compressor) }
        let capacity = libdeflate_deflate_compress_bound(compressor, raw.count)
        return appendBytes(to: &stored, capacity: capacity) { output in
            let count = libdeflate_deflate_compress(
                compressor, raw.baseAddress, raw.count, output.baseAddress, output.count)
            return count == 0 ? nil : count
        }
    }

    private static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress else { return 0 }
        return crc32_gzip_refl(0, base.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
}
