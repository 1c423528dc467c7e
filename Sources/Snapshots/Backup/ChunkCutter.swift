internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What becomes of some documents of one namespace on their way to the archive.
enum ArchivePiece: Sendable {
    /// A chunk of its own.
    case chunk(RawChunk)
    /// A whole small namespace with its end, which may share a chunk with others.
    case small(RawChunk)

    var chunk: RawChunk {
        switch self {
        case .chunk(let chunk), .small(let chunk): chunk
        }
    }
}

/// Cuts the documents of one namespace, or of a range of its `_id`s, into chunks. Each document is
/// copied once, from the reply to the chunk that is compressed.
struct ChunkCutter {
    /// A namespace that fits in this part of a chunk shares one with others.
    private static let smallShare = 4
    /// What a block takes besides its documents: at most a namespace and a few fields.
    private static let blockByteCount = 512

    private let stream: BackupPlan.Stream
    private let targetByteCount: Int
    private var builder: RawChunkBuilder
    private var hasDocuments = false
    private var isCut = false
    /// Documents that were taken, those before `resume` included.
    private(set) var documentCount: Int64 = 0
    private var lastByteCount = 0
    /// The last document before `resume`.
    private var earlier: [UInt8]?

    /// - Parameters:
    ///   - targetByteCount: raw bytes that chunks are cut at.
    ///   - byteCount: bytes of all documents to come; nil when unknown.
    init(_ stream: BackupPlan.Stream, targetByteCount: Int, byteCount: Int? = nil) {
        self.stream = stream
        self.targetByteCount = targetByteCount
        let expected = byteCount.map { $0 + 2 * Self.blockByteCount } ?? targetByteCount
        builder = Self.makeBuilder(stream, min(expected, targetByteCount))
    }

    /// Goes on behind documents that are in chunks already.
    mutating func resume(from position: UnfinishedBackup.Position) {
        documentCount = position.documentCount
        earlier = position.last
        isCut = true
    }

    /// The last document that was taken; nil when none was.
    var lastDocument: [UInt8]? {
        hasDocuments ? builder.suffix(lastByteCount) : earlier
    }

    /// Takes a reply's documents; answers the chunks that became full.
    ///
    /// - Parameter last: the document that comes first once more and is not taken; nil for none.
    /// - Throws: `catalogChanged` when another one comes first.
    mutating func cut(_ batch: RawBatch, after last: [UInt8]? = nil) throws -> [ArchivePiece] {
        var full: [ArchivePiece] = []
        var known = last
        try batch.forEachDocument { document in
            if let expected = known {
                known = nil
                guard document.elementsEqual(expected) else { throw Self.otherOrder(stream) }
            } else if let piece = append(document) {
                full.append(piece)
            }
        }
        return full
    }

    /// What is said when a collection can't be read on where it was left.
    static func otherOrder(_ stream: BackupPlan.Stream) -> SnapshotError {
        SnapshotError(
            .catalogChanged,
            "\(stream.descriptor.namespace) is stored in another order than before")
    }

    /// Takes a run of whole documents; answers the chunks that became full.
    mutating func cut(_ documents: ArraySlice<UInt8>) throws -> [ArchivePiece] {
        var full: [ArchivePiece] = []
        try documents.withUnsafeBytes { bytes in
            try BSONFraming.forEachDocument(in: bytes) { document in
                if let piece = append(document) { full.append(piece) }
            }
        }
        return full
    }

    /// Bytes that were taken and are in no chunk yet.
    var openByteCount: Int { hasDocuments ? builder.byteCount : 0 }

    /// A chunk of all that was taken so far, although it is not full; nil when that is nothing.
    mutating func cutNow() -> ArchivePiece? {
        guard hasDocuments else { return nil }
        builder.endBlock()
        let piece = ArchivePiece.chunk(builder.finished())
        builder = Self.makeBuilder(stream, 0)
        hasDocuments = false
        isCut = true
        return piece
    }

    private mutating func append(_ document: UnsafeRawBufferPointer) -> ArchivePiece? {
        var full: ArchivePiece?
        let byteCount = builder.byteCount + document.count + MongodumpBlock.terminator.count
        if hasDocuments, byteCount > targetByteCount {
            builder.endBlock()
            full = .chunk(builder.finished())
            builder = Self.makeBuilder(stream, targetByteCount)
            isCut = true
        }
        builder.append(document)
        hasDocuments = true
        documentCount += 1
        lastByteCount = document.count
        return full
    }

    /// What is left when all of a range was taken; nil when that is nothing.
    consuming func endOfRange() -> ArchivePiece? {
        guard hasDocuments else { return nil }
        builder.endBlock()
        return .chunk(builder.finished())
    }

    /// What is left when all of the namespace was taken: at least its end.
    consuming func endOfNamespace() -> ArchivePiece {
        builder.endBlock()
        let isSmall =
            !isCut && stream.kind != .special
            && builder.byteCount < targetByteCount / Self.smallShare
        guard isSmall else { return .chunk(builder.finished(closesNamespace: true)) }
        let documents = builder.finished()
        let crc64 = documents.segments.first.map { segment in
            documents.bytes.withUnsafeBytes {
                CRC64.checksum(UnsafeRawBufferPointer(rebasing: $0[segment.documents]))
            }
        }
        builder.appendEnd(of: stream.descriptor.dataNamespace, crc64: crc64 ?? 0)
        return .small(builder.finished())
    }

    private static func makeBuilder(
        _ stream: BackupPlan.Stream, _ capacityByteCount: Int
    ) -> RawChunkBuilder {
        var builder = RawChunkBuilder(
            stream.kind, namespaceOrdinal: stream.ordinal, capacityByteCount: capacityByteCount)
        builder.beginBlock(stream.descriptor.dataNamespace, ordinal: stream.ordinal)
        return builder
    }
}

/// Puts small namespaces together into mixed chunks, wherever they stand between larger ones.
struct ChunkMixer {
    private let targetByteCount: Int
    private let send: @Sendable (RawChunk) async throws -> Void
    private var mixed = RawChunkBuilder(.mixed, capacityByteCount: 0)

    /// - Parameter send: takes each chunk in file order; waits when the writer is behind.
    init(
        targetByteCount: Int, send: @escaping @Sendable (RawChunk) async throws -> Void
    ) {
        self.targetByteCount = targetByteCount
        self.send = send
    }

    /// Takes the next piece of the archive.
    mutating func take(_ piece: ArchivePiece) async throws {
        switch piece {
        case .chunk(let chunk):
            try await send(chunk)
        case .small(let namespace):
            if mixed.byteCount + namespace.bytes.count > targetByteCount { try await finish() }
            mixed.append(namespace)
        }
    }

    /// Sends what is left.
    mutating func finish() async throws {
        guard !mixed.isEmpty else { return }
        try await send(mixed.finished())
        mixed = RawChunkBuilder(.mixed, capacityByteCount: 0)
    }
}
