internal import ArchiveFormat
internal import ArgumentParser

/// How a new archive is cut and compressed.
struct EncodingOptions: ParsableArguments, Sendable {
    /// How chunks are compressed.
    @Option(
        help: ArgumentHelp(
            "How the archive is compressed. (default: gzip)", valueName: "name"))
    var codec: CodecName?

    /// How hard the codec tries.
    @Option(
        help: ArgumentHelp(
            "The codec's level: gzip 1-12, zstd 1-19, lz4 1-12. (default: 2, 3, 1)",
            valueName: "number"))
    var level: Int?

    /// Where chunks are cut.
    @Option(
        help: ArgumentHelp(
            "Uncompressed size of a chunk, 256KiB to 16MiB. (default: 4MiB)", valueName: "size"))
    var chunkSize: ByteSize?

    /// Codec and level, whether given, configured or the default.
    ///
    /// - Throws: `ArchiveError` with `invalidOption` for a level that the codec has not.
    func compression(_ file: Configuration) throws -> Compression {
        try file.compression(codec: codec, level: level)
    }

    /// Raw bytes that chunks are cut at.
    ///
    /// - Throws: `Failure` with `usage`.
    func chunkTargetByteCount(_ file: Configuration) throws -> Int {
        guard let size = chunkSize ?? file.chunkSize else {
            return ArchiveLimits.chunkTargetByteCountDefault
        }
        let allowed = ArchiveLimits.chunkTargetByteCountMin...ArchiveLimits.chunkTargetByteCountMax
        guard allowed.contains(size.byteCount) else {
            throw Failure.usage("--chunk-size is from 256KiB to 16MiB")
        }
        return size.byteCount
    }
}
