internal import ArchiveFormat

/// Where a chunk ends whose header is damaged: the codec's own frame says so. What is inside it is
/// then known to be no chunk of the archive, whatever it looks like.
struct FrameExtent {
    enum End: Sendable, Equatable {
        /// The first byte behind it.
        case at(UInt64)
        /// It begins here and has no end within the file.
        case beyondTheFile
    }

    private static let windowByteCount = 256 * 1024
    private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    private static let lz4Magic: [UInt8] = [0x04, 0x22, 0x4D, 0x18]
    /// Largest blocks that the codecs have.
    private static let zstdBlockByteCountMax: UInt64 = 128 * 1024
    private static let lz4BlockByteCountMax: UInt64 = 4 * 1024 * 1024

    let source: any ByteSource

    /// - Parameter offset: where the frame begins.
    /// - Returns: nil when no codec's frame is there.
    /// - Throws: what the source throws.
    func end(of offset: UInt64) async throws -> End? {
        let headByteCount = UInt64(Frame.headByteCount(.zstd))
        if let end = try await hiddenEnd(of: offset) { return end }
        switch try await bytes(at: offset + headByteCount, 4) {
        case Self.zstdMagic: return try await zstdEnd(of: offset + headByteCount)
        case Self.lz4Magic: return try await lz4End(of: offset + headByteCount)
        default: return try await gzipEnd(of: offset)
        }
    }

    private func bytes(at offset: UInt64, _ count: Int) async throws -> [UInt8] {
        guard offset < source.byteCount else { return [] }
        let available = Int(min(UInt64(count), source.byteCount - offset))
        return try await source.read(at: offset, count: available)
    }

    private func integer(at offset: UInt64, _ count: Int) async throws -> UInt64? {
        let bytes = try await bytes(at: offset, count)
        guard bytes.count == count else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The end of a skippable frame that hides something behind its damaged chunk header.
    private func hiddenEnd(of offset: UInt64) async throws -> End? {
        guard try await bytes(at: offset, 4) == Frame.skippableMagic,
            let count = try await integer(at: offset + 4, 4),
            count > UInt64(ChunkHeader.byteCount), count <= UInt64(UInt16.max)
        else { return nil }
        return end(at: offset + 8 + count)
    }

    private func end(at offset: UInt64) -> End {
        offset <= source.byteCount ? .at(offset) : .beyondTheFile
    }

    private func zstdEnd(of start: UInt64) async throws -> End? {
        guard let descriptor = try await integer(at: start + 4, 1) else { return .beyondTheFile }
        let isSingleSegment = descriptor & 0x20 != 0
        let sizeByteCount = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
        let dictionaryByteCount = [0, 1, 2, 4][Int(descriptor & 3)]
        let windowByteCount = isSingleSegment ? 0 : 1
        var place =
            start + 5 + UInt64(windowByteCount + dictionaryByteCount + sizeByteCount)
        let limit = start + UInt64(ArchiveLimits.chunkStoredByteCountMax)
        while place < limit {
            guard let header = try await integer(at: place, 3) else { return .beyondTheFile }
            let kind = header >> 1 & 3
            let count = kind == 1 ? 1 : header >> 3
            guard kind != 3, header >> 3 <= Self.zstdBlockByteCountMax else { return nil }
            place += 3 + count
            guard header & 1 == 1 else { continue }
            return end(at: place + (descriptor & 4 != 0 ? 4 : 0))
        }
        return nil
    }

    private func lz4End(of start: UInt64) async throws -> End? {
        guard let flags = try await integer(at: start + 4, 1) else { return .beyondTheFile }
        guard flags >> 6 == 1 else { return nil }
        let blockChecksumByteCount: UInt64 = flags & 0x10 != 0 ? 4 : 0
        let optionalByteCount: UInt64 = (flags & 8 != 0 ? 8 : 0) + (flags & 1 != 0 ? 4 : 0)
        var place = start + 4 + 2 + optionalByteCount + 1
        let limit = start + UInt64(ArchiveLimits.chunkStoredByteCountMax)
        while place < limit {
            guard let header = try await integer(at: place, 4) else { return .beyondTheFile }
            let count = header & 0x7FFF_FFFF
            guard count <= Self.lz4BlockByteCountMax else { return nil }
            place += 4
            guard header != 0 else { return end(at: place + (flags & 4 != 0 ? 4 : 0)) }
            place += count + blockChecksumByteCount
        }
        return nil
    }

    /// Of a gzip member, its checksum proves it.
    private func gzipEnd(of offset: UInt64) async throws -> End? {
        var start = offset + UInt64(Frame.headByteCount(.gzip))
        let prefix = try await bytes(at: offset, 12)
        if prefix.starts(with: [0x1F, 0x8B, 0x08, 0x04]), prefix.count == 12 {
            // Index and trailer hide more than the header.
            start = offset + 12 + UInt64(prefix[10]) + UInt64(prefix[11]) << 8
        }
        let scan = DeflateEnd()
        var place = start
        let limit = offset + UInt64(ArchiveLimits.chunkStoredByteCountMax)
        while place < limit {
            let window = try await bytes(at: place, Self.windowByteCount)
            scan.feed(window)
            switch scan.state {
            case .damaged: return nil
            case .open:
                guard !window.isEmpty else { return .beyondTheFile }
                place += UInt64(window.count)
            case .ended(let byteCount, let crc32, let rawByteCount):
                let behind = start + UInt64(byteCount)
                guard let sum = try await integer(at: behind, 4),
                    let length = try await integer(at: behind + 4, 4)
                else { return .beyondTheFile }
                let isProven = sum == UInt64(crc32) && length == UInt64(rawByteCount)
                return isProven ? .at(behind + 8) : nil
            }
        }
        return nil
    }
}
