internal import CZlib

/// Finds where a deflate stream ends and whether it is what the CRC-32 and length behind it say:
/// for a gzip member whose own header is damaged. The output is thrown away. Used by one task.
public final class DeflateEnd {
    /// What is known so far.
    public enum State: Sendable {
        /// It goes on.
        case open
        /// It ended after so many bytes of input, and its output has this checksum and length.
        case ended(byteCount: Int, crc32: UInt32, rawByteCount: Int)
        /// It is no deflate stream, or decodes to more than a chunk may.
        case damaged
    }

    private static let windowByteCount = 256 * 1024

    private var stream = z_stream()
    private let isReady: Bool
    private var crc = crc32(0, nil, 0)
    private var inputByteCount = 0
    private var rawByteCount = 0
    public private(set) var state = State.open

    public init() {
        // Negative: no wrapping.
        isReady =
            inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        if !isReady { state = .damaged }
    }

    deinit {
        if isReady { inflateEnd(&stream) }
    }

    /// Hands in the next bytes; what follows the stream's end is left alone.
    public func feed(_ bytes: [UInt8]) {
        var input = bytes
        var output = [UInt8](repeating: 0, count: Self.windowByteCount)
        input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                while case .open = state, inflateSome(into: output) {}
                inputByteCount += input.count
            }
        }
    }

    /// Whether there is more to do with the bytes at hand.
    private func inflateSome(into output: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        let before = stream.avail_in
        let status = inflate(&stream, Z_NO_FLUSH)
        let count = output.count - Int(stream.avail_out)
        crc = crc32(crc, output.baseAddress, UInt32(count))
        rawByteCount += count
        if rawByteCount > ArchiveLimits.chunkRawByteCountMax {
            state = .damaged
        } else if status == Z_STREAM_END {
            state = .ended(
                byteCount: inputByteCount + inputTaken, crc32: UInt32(truncatingIfNeeded: crc),
                rawByteCount: rawByteCount)
        } else if status != Z_OK && status != Z_BUF_ERROR {
            state = .damaged
        }
        return stream.avail_out == 0 || stream.avail_in > 0 && stream.avail_in < before
    }

    /// Bytes that were taken of those handed in last.
    private var inputTaken: Int { Int(stream.total_in) - inputByteCount }
}
