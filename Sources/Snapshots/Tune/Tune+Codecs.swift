internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// The stage that processors do: chunks are made, hashed and compressed as in a backup.
extension Tune {
    private static let codecs: [(Codec, levels: [Int])] = [
        (.gzip, [1, 2, 3, 6]), (.zstd, [1, 3, 9]), (.lz4, [1]),
    ]
    private static let chunkByteCounts = [1, 4, 16].map { $0 * 1024 * 1024 }

    /// Every codec and level, on one processor.
    func measureCodecs(_ sample: TuneSample) async throws -> [TuneMeasurements.Encoding] {
        let size = ArchiveLimits.chunkTargetByteCountDefault
        let chunks = try Self.cut(sample, size)
        var encodings: [TuneMeasurements.Encoding] = []
        for (codec, levels) in Self.codecs {
            for level in levels {
                encodings.append(
                    try await measure(
                        chunks, try Compression(codec, level: level), chunkByteCount: size,
                        width: 1))
            }
        }
        return encodings
    }

    /// One codec on all processors, with chunks of several sizes.
    func measureChunkSizes(
        _ sample: TuneSample, _ compression: Compression
    ) async throws -> [TuneMeasurements.Encoding] {
        var encodings: [TuneMeasurements.Encoding] = []
        for size in Self.chunkByteCounts {
            encodings.append(
                try await measure(
                    try Self.cut(sample, size), compression, chunkByteCount: size,
                    width: options.processorCount))
        }
        return encodings
    }

    /// Goes round and round the chunks; the ratio is that of the first round, which is the same
    /// documents for every codec that is fast enough.
    private func measure(
        _ chunks: [RawChunk], _ compression: Compression, chunkByteCount: Int, width: Int
    ) async throws -> TuneMeasurements.Encoding {
        let stopwatch = try begin(
            "compressing, \(compression.codec.name) \(compression.level), "
                + "\(chunkByteCount >> 20) MiB chunks, \(width) at once")
        var startedCount = 0
        var sizes: [(raw: Int, stored: Int)] = []
        try await withOrderedWindow(
            width: width,
            next: {
                guard !stopwatch.isOver else { return nil }
                defer { startedCount += 1 }
                return chunks[startedCount % chunks.count]
            },
            transform: { (chunk: RawChunk) async throws -> (raw: Int, stored: Int) in
                let encoded = try EncodedChunk(chunk, sequence: 0, compression: compression)
                return (chunk.bytes.count, encoded.stored.count)
            },
            deliver: { sizes.append($0) })
        let seconds = stopwatch.seconds
        let first = sizes.prefix(chunks.count)
        return TuneMeasurements.Encoding(
            compression, chunkByteCount: chunkByteCount, width: width,
            bytesPerSecond: Double(sizes.reduce(0) { $0 + $1.raw }) / seconds,
            ratio: Double(first.reduce(0) { $0 + $1.stored })
                / Double(max(1, first.reduce(0) { $0 + $1.raw })))
    }

    private static func cut(_ sample: TuneSample, _ byteCount: Int) throws -> [RawChunk] {
        let namespace = Namespace("tune", "sample")
        var chunks: [RawChunk] = []
        var builder: RawChunkBuilder?
        try sample.bytes.withUnsafeBytes { bytes in
            try BSONFraming.forEachDocument(in: bytes) { document in
                if builder == nil {
                    builder = RawChunkBuilder(
                        .data, namespaceOrdinal: 0, capacityByteCount: byteCount)
                    builder?.beginBlock(namespace, ordinal: 0)
                }
                builder?.append(document)
                if let size = builder?.byteCount, size >= byteCount {
                    builder?.endBlock()
                    if let chunk = builder?.finished() { chunks.append(chunk) }
                    builder = nil
                }
            }
        }
        builder?.endBlock()
        // A remainder would only say how chunks are that backups have few of.
        if chunks.isEmpty, let chunk = builder?.finished() { chunks.append(chunk) }
        return chunks
    }
}
