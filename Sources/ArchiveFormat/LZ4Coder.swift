internal import CLZ4

/// One lz4 frame with its content size, by liblz4. Its own checksum is left out: the chunk header
/// has one.
struct LZ4Coder: BlockCoder {
    func encode(
        _ raw: UnsafeRawBufferPointer, level: Int, into stored: inout [UInt8]
    ) throws(ArchiveError) {
        var preferences = LZ4F_preferences_t()
        preferences.compressionLevel = Int32(level)
        preferences.frameInfo.blockSizeID = LZ4F_max4MB
        preferences.frameInfo.contentSize = UInt64(raw.count)
        let capacity = LZ4F_compressFrameBound(raw.count, &preferences)
        let encoded = appendBytes(to: &stored, capacity: capacity) { output in
            let count = LZ4F_compressFrame(
                output.baseAddress, output.count, raw.baseAddress, raw.count, &preferences)
            return LZ4F_isError(count) == 0 ? count : nil
        }
        guard encoded else { throw ArchiveError(.codecFailed, "lz4 level \(level) failed") }
    }

    func decode(
        _ stored: UnsafeRawBufferPointer, rawByteCount: Int
    ) throws(ArchiveError) -> [UInt8] {
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0
        else { throw ArchiveError(.codecFailed, "no memory for an lz4 decompressor") }
        defer { _ = LZ4F_freeDecompressionContext(context) }
        let raw = makeBytes(rawByteCount) { buffer in
            Self.decodeFrame(stored, into: buffer, context)
        }
        guard let raw else {
            throw ArchiveError(.codecFailed, "lz4 frame does not decode to its stated length")
        }
        return raw
    }

    /// Whether all of `stored` was one frame that filled all of `buffer`.
    private static func decodeFrame(
        _ stored: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer,
        _ context: OpaquePointer?
    ) -> Bool {
        var consumed = 0
        var produced = 0
        while true {
            var sourceCount = stored.count - consumed
            var outputCount = buffer.count - produced
            let hint = LZ4F_decompress(
                context, buffer.baseAddress.map { $0 + produced }, &outputCount,
                stored.baseAddress.map { $0 + consumed }, &sourceCount, nil)
            guard LZ4F_isError(hint) == 0 else { return false }
            consumed += sourceCount
            produced += outputCount
            if hint == 0 { return consumed == stored.count && produced == buffer.count }
            guard sourceCount > 0 || outputCount > 0 else { return false }
        }
    }
}
