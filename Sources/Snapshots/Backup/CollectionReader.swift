internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Turns cursors into raw chunks, one namespace after another: large ones get chunks of their own,
/// small ones share mixed chunks. Each document is copied once, from the reply to the chunk that is
/// compressed.
struct CollectionReader {
    /// A namespace that fits in this part of a chunk shares one with others.
    private static let smallShare = 4

    private let connection: MongoConnection
    private let targetByteCount: Int
    private let send: @Sendable (RawChunk) async throws -> Void
    private var mixed: RawChunkBuilder

    /// - Parameters:
    ///   - targetByteCount: raw bytes that chunks are cut at.
    ///   - send: takes each chunk in file order; waits when the writer is behind.
    init(
        _ connection: MongoConnection, targetByteCount: Int,
        send: @escaping @Sendable (RawChunk) async throws -> Void
    ) {
        self.connection = connection
        self.targetByteCount = targetByteCount
        self.send = send
        mixed = RawChunkBuilder(.mixed, capacityByteCount: 0)
    }

    /// Reads one namespace to its end.
    ///
    /// - Throws: `MongoError`; `BSONError` for a reply that is not BSON.
    mutating func read(_ stream: BackupPlan.Stream) async throws {
        guard let request = stream.request else {
            return try await finish(Pending(stream, targetByteCount))
        }
        let pending = try await connection.withCursor(request) { cursor in
            var pending = Pending(stream, targetByteCount)
            var waiting = try await cursor.nextBatch()
            while let batch = waiting {
                // The next reply is on its way while this one is cut into chunks.
                async let following = cursor.nextBatch()
                for chunk in try pending.cut(batch) { try await send(chunk) }
                waiting = try await following
            }
            return pending
        }
        try await finish(pending)
    }

    /// Sends what is left.
    mutating func finish() async throws {
        guard !mixed.isEmpty else { return }
        try await send(mixed.finished())
        mixed = RawChunkBuilder(.mixed, capacityByteCount: 0)
    }

    private mutating func finish(_ pending: Pending) async throws {
        var pending = pending
        let stream = pending.stream
        guard stream.kind != .special,
            let small = pending.whole(below: targetByteCount / Self.smallShare)
        else { return try await send(pending.last()) }
        if mixed.byteCount + small.bytes.count > targetByteCount { try await finish() }
        mixed.append(small)
    }
}

/// The chunk of one namespace that is being filled.
private struct Pending {
    let stream: BackupPlan.Stream
    private let targetByteCount: Int
    private var builder: RawChunkBuilder
    private var hasDocuments = false
    private var sentCount = 0

    init(_ stream: BackupPlan.Stream, _ targetByteCount: Int) {
        self.stream = stream
        self.targetByteCount = targetByteCount
        builder = Self.makeBuilder(stream, stream.request == nil ? 512 : targetByteCount)
    }

    /// Takes a reply's documents; answers the chunks that became full.
    mutating func cut(_ batch: RawBatch) throws -> [RawChunk] {
        var full: [RawChunk] = []
        try batch.forEachDocument { document in
            let byteCount = builder.byteCount + document.count + MongodumpBlock.terminator.count
            if hasDocuments, byteCount > targetByteCount {
                builder.endBlock()
                full.append(builder.finished())
                builder = Self.makeBuilder(stream, targetByteCount)
            }
            builder.append(document)
            hasDocuments = true
        }
        sentCount += full.count
        return full
    }

    /// The namespace's last chunk.
    mutating func last() -> RawChunk {
        builder.endBlock()
        return builder.finished(closesNamespace: true)
    }

    /// The whole namespace with its end, when it is small and nothing of it was sent.
    func whole(below byteCountMax: Int) -> RawChunk? {
        guard sentCount == 0, builder.byteCount < byteCountMax else { return nil }
        var builder = builder
        builder.endBlock()
        let chunk = builder.finished()
        let crc64 = chunk.segments.first.map { segment in
            chunk.bytes.withUnsafeBytes {
                CRC64.checksum(UnsafeRawBufferPointer(rebasing: $0[segment.documents]))
            }
        }
        builder.appendEnd(of: stream.descriptor.dataNamespace, crc64: crc64 ?? 0)
        return builder.finished()
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
