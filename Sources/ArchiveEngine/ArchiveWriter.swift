public import ArchiveFormat

/// Writes an archive front to back: prelude, chunks in the order they are given, index, trailer.
/// Chunks are compressed in parallel; what is written does not depend on how many at once.
///
/// Memory: (`width` + 2) × (a raw chunk + a stored chunk). A writer that failed stays failed.
public struct ArchiveWriter {
    /// How to write.
    public struct Options: Sendable {
        public var compression: Compression
        /// How many chunks are compressed at once, at least 1.
        public var width: Int
        /// Raw bytes that chunks are cut at; used here for the prelude only.
        public var chunkTargetByteCount: Int

        public init(compression: Compression, width: Int, chunkTargetByteCount: Int) {
            self.compression = compression
            self.width = width
            self.chunkTargetByteCount = chunkTargetByteCount
        }
    }

    /// What is handed in.
    public enum Piece: Sendable {
        /// To be compressed here.
        case raw(RawChunk)
        /// Of another archive, as it is stored there; of the same codec as all others.
        case encoded(EncodedChunk)

        var closesNamespace: Bool {
            switch self {
            case .raw(let chunk): chunk.closesNamespace
            case .encoded(let chunk): chunk.closesNamespace
            }
        }
    }

    /// What was written.
    public struct Summary: Sendable {
        public var index: ArchiveIndex
        /// Bytes of the whole archive.
        public var storedByteCount: UInt64
        /// The hash that stands for the whole archive.
        public var seal: SHA256Digest
    }

    /// Compressed chunks that may wait while one is written.
    private static let finishedChunkCountMax = 2

    private let sink: any ByteSink
    private let options: Options
    private var prelude: [RawChunk]
    private var namespaces: [Manifest.NamespaceEntry]
    private var rows: [IndexRow] = []
    private var offset: UInt64 = 0
    private var isFailed = false

    /// - Throws: `ArchiveError` when the prelude can't be written as mongodump's.
    public init(to sink: any ByteSink, prelude: ArchivePrelude, options: Options) throws {
        self.sink = sink
        self.options = options
        self.prelude = try prelude.chunks(pieceByteCount: options.chunkTargetByteCount)
        namespaces = prelude.namespaces.map(Manifest.NamespaceEntry.init)
    }

    /// Writes the prelude and then every chunk that `next` gives.
    ///
    /// - Parameter next: gives the chunks in file order: the special namespaces first, each
    ///   namespace's chunks one after another, the last of them with `closesNamespace`, unless the
    ///   chunk holds its namespaces' ends itself.
    /// - Throws: what `next` and the sink throw, and `ArchiveError` for damaged documents.
    public mutating func write(_ next: () async throws -> RawChunk?) async throws {
        try await write(pieces: { try await next().map { .raw($0) } })
    }

    /// The same, of which some may be compressed already.
    public mutating func write(pieces next: () async throws -> Piece?) async throws {
        precondition(rows.isEmpty && !isFailed, "an archive is written once")
        isFailed = true
        let compression = options.compression
        var waiting = prelude[...]
        var sequence: UInt32 = 0
        try await withOrderedWindow(
            width: options.width, ahead: Self.finishedChunkCountMax,
            next: {
                var piece = waiting.popFirst().map { Piece.raw($0) }
                if piece == nil { piece = try await next() }
                guard let piece else { return nil }
                defer { sequence += piece.closesNamespace ? 2 : 1 }
                return Numbered(sequence: sequence, piece: piece)
            },
            transform: { (numbered: Numbered) async throws -> Hashed in
                try Hashed(numbered.encoded(compression))
            },
            deliver: { try await append($0) })
        isFailed = false
    }

    /// Writes index and trailer.
    ///
    /// - Parameters: - manifest: its namespaces, codec and chunk size are filled in here. -
    ///   consistencies: how each namespace was read, where that differs from the manifest; none, or
    ///   one for each.
    /// - Throws: what the sink throws.
    public mutating func finish(
        _ manifest: Manifest, consistencies: [Manifest.Consistency?] = []
    ) async throws -> Summary {
        precondition(!isFailed && !rows.isEmpty, "the chunks have been written")
        isFailed = true
        var manifest = manifest
        for (position, consistency) in consistencies.enumerated() {
            namespaces[position].consistency = consistency
        }
        manifest.namespaces = namespaces
        manifest.compression = options.compression
        manifest.chunkTargetByteCount = options.chunkTargetByteCount
        let index = ArchiveIndex(manifest: manifest, rows: rows)
        let (bytes, seal) = try index.frames(at: offset)
        try await sink.write(bytes)
        offset += UInt64(bytes.count)
        return Summary(index: index, storedByteCount: offset, seal: seal)
    }

    /// What is known of the namespaces so far, in the prelude's order.
    public var entries: [Manifest.NamespaceEntry] { namespaces }

    private mutating func append(_ hashed: Hashed) async throws {
        try await write(hashed)
        guard hashed.chunk.closesNamespace else { return }
        let ordinal = hashed.chunk.header.namespaceOrdinal
        let entry = namespaces[Int(ordinal)]
        // Special namespaces come before all others, their ends too.
        let kind: ChunkKind = hashed.chunk.header.kind == .special ? .special : .end
        var builder = RawChunkBuilder(kind, namespaceOrdinal: ordinal, capacityByteCount: 512)
        builder.appendEnd(of: entry.descriptor.dataNamespace, crc64: entry.totals.crc64)
        try await write(
            Hashed(
                EncodedChunk(
                    builder.finished(), sequence: UInt32(rows.count),
                    compression: options.compression)))
    }

    private mutating func write(_ hashed: Hashed) async throws {
        let chunk = hashed.chunk
        precondition(chunk.header.sequence == UInt32(rows.count), "chunks are counted in order")
        try await sink.write(chunk.stored)
        for (ordinal, totals) in chunk.totals {
            namespaces[Int(ordinal)].totals.append(totals)
            touch(ordinal, chunk.header.sequence)
        }
        if chunk.header.namespaceOrdinal != ChunkHeader.noNamespace {
            touch(chunk.header.namespaceOrdinal, chunk.header.sequence)
        }
        rows.append(IndexRow(chunk, offset: offset, sha256: hashed.sha256))
        offset += UInt64(chunk.stored.count)
    }

    private mutating func touch(_ ordinal: UInt32, _ sequence: UInt32) {
        let first = namespaces[Int(ordinal)].chunks?.lowerBound ?? sequence
        namespaces[Int(ordinal)].chunks = first...sequence
    }
}

/// A chunk and its place in the file.
private struct Numbered: WeighedElement, Sendable {
    var sequence: UInt32
    var piece: ArchiveWriter.Piece

    /// With what it is compressed to, which is rarely as much again.
    var heldByteCount: Int {
        switch piece {
        case .raw(let chunk): chunk.bytes.count + chunk.bytes.count / 2
        case .encoded(let chunk): chunk.stored.count
        }
    }

    func encoded(_ compression: Compression) throws(ArchiveError) -> EncodedChunk {
        switch piece {
        case .raw(let chunk):
            try EncodedChunk(chunk, sequence: sequence, compression: compression)
        case .encoded(let chunk): chunk.moved(to: sequence)
        }
    }
}

/// A compressed chunk and the hash of its stored bytes, computed where the compression was: in
/// parallel.
private struct Hashed: Sendable {
    var chunk: EncodedChunk
    var sha256: SHA256Digest

    init(_ chunk: EncodedChunk) {
        self.chunk = chunk
        sha256 = SHA256Digest(of: chunk.stored)
    }
}

extension RawChunk: WeighedElement {
    /// Not compressed yet.
    public var heldByteCount: Int { bytes.count }
}
