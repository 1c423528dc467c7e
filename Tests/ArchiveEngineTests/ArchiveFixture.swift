import ArchiveEngine
import ArchiveFormat
import BSONBytes

/// Bytes in memory, as sink, source and stream.
final class MemoryArchive: ByteSink, ByteSource, ByteStream, @unchecked Sendable {
    // Written and read by one test at a time; never shared while it changes.
    var bytes: [UInt8]
    /// How many bytes one read of the stream gives at the most.
    var pieceByteCount = 1000
    private var position = 0

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    var byteCount: UInt64 { UInt64(bytes.count) }

    func write(_ more: [UInt8]) async throws {
        bytes += more
    }

    func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        guard Int(offset) + count <= bytes.count else {
            throw ArchiveError(.truncated, "read beyond the end")
        }
        return Array(bytes[Int(offset)..<Int(offset) + count])
    }

    func read(upTo count: Int) async throws -> [UInt8] {
        let end = min(bytes.count, position + min(count, pieceByteCount))
        defer { position = end }
        return Array(bytes[position..<end])
    }
}

/// A small archive with every kind of chunk, always the same.
enum ArchiveFixture {
    static let users = NamespaceDescriptor(
        namespace: Namespace("admin", "system.users"), type: .collection)
    static let large = NamespaceDescriptor(
        namespace: Namespace("shop", "orders"), type: .collection,
        options: BSONDocument { $0.append("validationLevel", "strict") },
        indexes: [
            BSONDocument {
                $0.append("v", Int32(2))
                $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
                $0.append("name", "_id_")
            }
        ])
    static let small = NamespaceDescriptor(
        namespace: Namespace("shop", "tiny"), type: .collection)
    static let view = NamespaceDescriptor(
        namespace: Namespace("shop", "open_orders"), type: .view,
        options: BSONDocument { $0.append("viewOn", "orders") })

    static var prelude: ArchivePrelude {
        ArchivePrelude(
            serverVersion: "6.0.5", toolVersion: "cairn test",
            namespaces: [users, large, small, view])
    }

    static func order(_ number: Int) -> BSONDocument {
        BSONDocument {
            $0.append("_id", Int32(number))
            $0.append("text", String(repeating: "stone \(number % 7) ", count: 20))
        }
    }

    /// Orders are spread over `chunkCount` chunks of `documentCount` documents each.
    static func chunks(chunkCount: Int = 3, documentCount: Int = 40) -> [RawChunk] {
        var chunks = [whole(.special, 0, users, [order(-1)])]
        for index in 0..<chunkCount {
            var builder = RawChunkBuilder(.data, namespaceOrdinal: 1, capacityByteCount: 1 << 16)
            builder.beginBlock(large.namespace, ordinal: 1)
            for number in 0..<documentCount {
                order(index * documentCount + number).bytes.withUnsafeBytes { builder.append($0) }
            }
            builder.endBlock()
            chunks.append(builder.finished(closesNamespace: index == chunkCount - 1))
        }
        var mixed = RawChunkBuilder(.mixed, capacityByteCount: 1 << 12)
        mixed.append(whole(.mixed, 2, small, [order(1), order(2)]))
        mixed.append(whole(.mixed, 3, view, []))
        return chunks + [mixed.finished()]
    }

    static func whole(
        _ kind: ChunkKind, _ ordinal: UInt32, _ descriptor: NamespaceDescriptor,
        _ documents: [BSONDocument]
    ) -> RawChunk {
        var builder = RawChunkBuilder(
            kind, namespaceOrdinal: kind == .mixed ? ChunkHeader.noNamespace : ordinal,
            capacityByteCount: 1 << 12)
        builder.beginBlock(descriptor.dataNamespace, ordinal: ordinal)
        for document in documents { document.bytes.withUnsafeBytes { builder.append($0) } }
        builder.endBlock()
        let crc64 = documents.flatMap(\.bytes).withUnsafeBytes { CRC64.checksum($0) }
        builder.appendEnd(of: descriptor.dataNamespace, crc64: crc64)
        return builder.finished()
    }

    static var manifest: Manifest {
        Manifest(
            id: "20261123T084512Z-manual-3f9a1c", tool: "cairn test", startedAt: 1_700_000_000_000,
            source: Manifest.Source(
                hosts: ["localhost:27017"], serverVersion: "6.0.5", replicaSet: "rs0"),
            consistency: .snapshot(BSONTimestamp(seconds: 1_700_000_000, increment: 7)),
            selection: Manifest.Selection(), compression: .standard)
    }

    static func archive(
        _ compression: Compression = .standard, width: Int = 2, chunks: [RawChunk] = chunks()
    ) async throws -> MemoryArchive {
        let archive = MemoryArchive()
        var writer = try ArchiveWriter(
            to: archive, prelude: prelude,
            options: ArchiveWriter.Options(
                compression: compression, width: width,
                chunkTargetByteCount: ArchiveLimits.chunkTargetByteCountMin))
        var waiting = chunks[...]
        try await writer.write { waiting.popFirst() }
        let summary = try await writer.finish(manifest)
        precondition(summary.storedByteCount == archive.byteCount, "the summary counts every byte")
        return archive
    }

    /// What a full verification finds, by index or as a stream.
    static func verify(
        _ bytes: [UInt8], asStream: Bool = false, width: Int = 2
    ) async throws -> ArchiveVerifier.Report {
        let archive = MemoryArchive(bytes)
        let opened =
            asStream
            ? try await ArchiveOpener.open(archive as any ByteStream)
            : try await ArchiveOpener.open(archive as any ByteSource)
        return try await ArchiveVerifier.verify(opened.reader, width: width)
    }
}
