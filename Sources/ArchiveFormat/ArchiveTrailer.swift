/// The last frame: where the index is, and the hash that seals it. Its hidden bytes have a fixed
/// size, so that it is found from the end of the file. Layout: `formats/archive.md`, section 6.4.
public struct ArchiveTrailer: Hashable, Sendable {
    /// Hidden bytes of the trailer.
    public static let byteCount = 80
    /// "CAIRNEND".
    public static let magic: [UInt8] = [0x43, 0x41, 0x49, 0x52, 0x4E, 0x45, 0x4E, 0x44]

    /// Where the first index frame starts in the file.
    public var indexOffset: UInt64
    /// Bytes of all index frames together.
    public var indexStoredByteCount: UInt64
    /// Bytes of the manifest at the start of the index.
    public var manifestByteCount: UInt64
    /// Rows behind the manifest.
    public var chunkCount: UInt64
    /// Hash of the index: manifest and rows. As every row holds its chunk's hash, it stands for the
    /// whole archive.
    public var indexSHA256: SHA256Digest

    public init(
        indexOffset: UInt64, indexStoredByteCount: UInt64, manifestByteCount: UInt64,
        chunkCount: UInt64, indexSHA256: SHA256Digest
    ) {
        self.indexOffset = indexOffset
        self.indexStoredByteCount = indexStoredByteCount
        self.manifestByteCount = manifestByteCount
        self.chunkCount = chunkCount
        self.indexSHA256 = indexSHA256
    }

    /// Bytes of the trailer's whole frame.
    public static func frameByteCount(_ codec: Codec) -> Int {
        Frame.hiddenByteCount(codec, sliceByteCount: byteCount)
    }

    /// The most bytes that a trailer's frame has, whatever the codec.
    public static let frameByteCountMax = frameByteCount(.gzip)

    /// The whole frame.
    public func frame(codec: Codec, sequence: UInt32) -> [UInt8] {
        var writer = ByteFieldWriter()
        writer.append(Self.magic)
        writer.append(indexOffset)
        writer.append(indexStoredByteCount)
        writer.append(manifestByteCount)
        writer.append(chunkCount)
        writer.append(UInt64(0))
        writer.append(indexSHA256.bytes)
        return Frame.encodeHidden(
            writer.bytes,
            header: ChunkHeader(kind: .trailer, codec: codec, sequence: sequence))
    }

    /// Reads the hidden bytes of a trailer's frame.
    ///
    /// - Throws: `malformed`, `lengthOutOfBounds`.
    public init(decoding bytes: ArraySlice<UInt8>) throws(ArchiveError) {
        guard bytes.count == Self.byteCount, bytes.starts(with: Self.magic) else {
            throw ArchiveError(.malformed, "the trailer is damaged")
        }
        var reader = ByteFieldReader(bytes.dropFirst(Self.magic.count))
        indexOffset = try reader.integer()
        indexStoredByteCount = try reader.integer()
        manifestByteCount = try reader.integer()
        chunkCount = try reader.integer()
        let reserved: UInt64 = try reader.integer()
        guard reserved == 0, let digest = SHA256Digest(bytes: try reader.take(32)) else {
            throw ArchiveError(.malformed, "the trailer is damaged")
        }
        indexSHA256 = digest
        guard manifestByteCount <= UInt64(ArchiveLimits.manifestByteCountMax),
            chunkCount <= UInt64(ArchiveLimits.chunkCountMax),
            indexStoredByteCount <= UInt64(ArchiveLimits.indexByteCountMax)
        else { throw ArchiveError(.lengthOutOfBounds, "the trailer's lengths are out of bounds") }
    }

    /// Finds the trailer at the end of a file.
    ///
    /// - Parameters: - tail: the last bytes of the file, at least `frameByteCountMax` of them where
    ///   the file has so many. - fileByteCount: size of the whole file.
    /// - Returns: the trailer and its frame's header.
    /// - Throws: `truncated` when the file does not end in a trailer, `malformed`,
    ///   `lengthOutOfBounds`.
    public static func find(
        in tail: ArraySlice<UInt8>, fileByteCount: UInt64
    ) throws(ArchiveError) -> (trailer: ArchiveTrailer, header: ChunkHeader) {
        for codec in [Codec.gzip, .zstd] {
            let frame = Array(tail.suffix(frameByteCount(codec)))
            guard frame.count == frameByteCount(codec),
                let header = try Frame.header(at: frame[...]), header.kind == .trailer
            else { continue }
            let frameOffset = fileByteCount - UInt64(frame.count)
            let trailer: ArchiveTrailer
            do throws(ArchiveError) {
                trailer = try ArchiveTrailer(
                    decoding: try Frame.hiddenBytes(of: frame, header: header))
            } catch {
                throw error.located(offset: frameOffset)
            }
            guard trailer.indexStoredByteCount <= frameOffset,
                trailer.indexOffset == frameOffset - trailer.indexStoredByteCount
            else {
                throw ArchiveError(
                    .malformed, "the trailer does not point at the index in front of it",
                    offset: frameOffset)
            }
            return (trailer, header)
        }
        throw ArchiveError(
            .truncated, "the archive does not end in a trailer: it is cut, damaged or unfinished",
            offset: fileByteCount)
    }
}
