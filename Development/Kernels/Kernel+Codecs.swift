internal import ArchiveFormat

extension Kernel {
    /// Each codec at the levels that are worth choosing, in both directions.
    static let codecs = encoders + decoders

    private static let settings: [(codec: Codec, level: Int)] = [
        (.gzip, 1), (.gzip, 2), (.gzip, 3), (.gzip, 6), (.zstd, 1), (.zstd, 3), (.lz4, 1),
    ]

    private static let encoders = settings.map { codec, level in
        Kernel(name: "\(codec.name)-\(level)-encode", unit: .megabyte) { sample in
            let compression = try Compression(codec, level: level)
            let chunk = plainChunk(sample)
            return PreparedKernel(amount: sample.megabytes) {
                try encoded(chunk, compression).header.payloadCRC64
            }
        }
    }

    private static let decoders = settings.map { codec, level in
        Kernel(name: "\(codec.name)-\(level)-decode", unit: .megabyte) { sample in
            let compression = try Compression(codec, level: level)
            let frame = try encoded(plainChunk(sample), compression)
            return PreparedKernel(amount: sample.megabytes) {
                let bytes = try Frame.decode(frame.stored, header: frame.header)
                return UInt64(bytes.count)
            }
        }
    }

    /// A chunk that names no documents, so that there is nothing to count, hash or look up in it:
    /// what remains of encoding it is the codec, and a checksum at memory speed.
    private static func plainChunk(_ sample: KernelSample) -> RawChunk {
        var chunk = sample.chunk()
        chunk.segments = []
        return chunk
    }

    private static func encoded(
        _ chunk: RawChunk, _ compression: Compression
    ) throws -> EncodedChunk {
        try EncodedChunk(chunk, sequence: 0, compression: compression)
    }
}
