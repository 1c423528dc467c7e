import ArchiveEngine
import ArchiveFormat

/// Archives whose chunks are stored, not compressed, as codecs do with noise: what documents hold
/// lies in them as it is.
enum StoredFrames {
    /// The same archive with its chunks stored.
    static func archive(_ bytes: [UInt8], _ codec: Codec) async throws -> [UInt8] {
        let reader = try await IndexedArchiveReader(ByteCollector(bytes))
        var index = reader.index
        var stored: [UInt8] = []
        let prefixByteCount = Frame.headByteCount(codec) - ChunkHeader.byteCount
        for (sequence, row) in index.rows.enumerated() {
            let chunk = try await reader.chunks.read(UInt32(sequence)).decoded()
            guard var header = chunk.header else { continue }
            let payload = frame(chunk.bytes, codec)
            header.storedByteCount = UInt64(Frame.headByteCount(codec) + payload.count)
            header.payloadCRC64 = payload.withUnsafeBytes { CRC64.checksum($0) }
            let start = Int(row.offset)
            let whole = bytes[start..<start + prefixByteCount] + header.encoded() + payload
            index.rows[sequence].offset = UInt64(stored.count)
            index.rows[sequence].storedByteCount = header.storedByteCount
            index.rows[sequence].sha256 = SHA256Digest(of: Array(whole))
            stored += whole
        }
        return stored + (try index.frames(at: UInt64(stored.count)).bytes)
    }

    private static func frame(_ raw: [UInt8], _ codec: Codec) -> [UInt8] {
        switch codec {
        case .gzip:
            blocks(raw, 65_535) { count, isLast in
                [isLast ? 1 : 0] + integer(count, 2) + integer(count ^ 0xFFFF, 2)
            } + integer(Int(crc32(raw)), 4) + integer(raw.count, 4)
        case .zstd:
            [0x28, 0xB5, 0x2F, 0xFD, 0xA0] + integer(raw.count, 4)
                + blocks(raw, 100_000) { count, isLast in
                    integer(count << 3 | (isLast ? 1 : 0), 3)
                }
        case .lz4: lz4(raw)
        }
    }

    private static func lz4(_ raw: [UInt8]) -> [UInt8] {
        let descriptor: [UInt8] = [0x68, 0x70] + integer(raw.count, 8)
        let check = UInt8(truncatingIfNeeded: xxh32(descriptor) >> 8)
        return [0x04, 0x22, 0x4D, 0x18] + descriptor + [check]
            + blocks(raw, 1 << 22) { count, _ in integer(count | 0x8000_0000, 4) } + [0, 0, 0, 0]
    }

    private static func blocks(
        _ raw: [UInt8], _ byteCountMax: Int, _ head: (Int, Bool) -> [UInt8]
    ) -> [UInt8] {
        stride(from: 0, to: raw.count, by: byteCountMax).flatMap { start in
            let end = min(raw.count, start + byteCountMax)
            return head(end - start, end == raw.count) + raw[start..<end]
        }
    }

    private static func integer(_ value: Int, _ byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
                sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0)
            }
        }
    }

    /// Of fewer than 16 bytes.
    private static func xxh32(_ bytes: [UInt8]) -> UInt32 {
        func rotated(_ value: UInt32, _ count: UInt32) -> UInt32 {
            value << count | value >> (32 - count)
        }
        var hash = UInt32(374_761_393) &+ UInt32(bytes.count)
        var rest = bytes[...]
        while rest.count >= 4 {
            let word = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            hash = rotated(hash &+ word &* 3_266_489_917, 17) &* 668_265_263
            rest = rest.dropFirst(4)
        }
        for byte in rest {
            hash = rotated(hash &+ UInt32(byte) &* 374_761_393, 11) &* 2_654_435_761
        }
        hash = (hash ^ hash >> 15) &* 2_246_822_519
        hash = (hash ^ hash >> 13) &* 3_266_489_917
        return hash ^ hash >> 16
    }
}
