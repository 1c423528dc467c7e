internal import CZstd

/// One zstd frame with its content size, by libzstd. Its own checksum is left out: the chunk header
/// has one.
struct ZstdCoder: BlockCoder {
    func encode(
        _ raw: UnsafeRawBufferPointer, level: Int, into stored: inout [UInt8]
    ) throws(ArchiveError) {
        let encoded = appendBytes(
            to: &stored, capacity: ZSTD_compressBound(raw.count)
        ) { output in
            let count = ZSTD_compress(
                output.baseAddress, output.count, raw.baseAddress, raw.count, Int32(level))
            return ZSTD_isError(count) == 0 ? count : nil
        }
        guard encoded else { throw ArchiveError(.codecFailed, "zstd level \(level) failed") }
    }

    func decode(
        _ stored: UnsafeRawBufferPointer, rawByteCount: Int
    ) throws(ArchiveError) -> [UInt8] {
        // ZSTD_decompress reads frame after frame: only a single one of the stated size is ours.
        let raw =
            ZSTD_getFrameContentSize(stored.baseAddress, stored.count) == UInt64(rawByteCount)
                && ZSTD_findFrameCompressedSize(stored.baseAddress, stored.count) == stored.count
            ? makeBytes(rawByteCount) { buffer in
                ZSTD_decompress(
                    buffer.baseAddress, rawByteCount, stored.baseAddress, stored.count)
                    == rawByteCount
            } : nil
        guard let raw else {
            throw ArchiveError(.codecFailed, "zstd frame does not decode to its stated length")
        }
        return raw
    }
}
