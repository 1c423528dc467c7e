import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import Testing

/// The archives in `formats/vectors` and what they are made of. The bytes of version 1 are fixed:
/// whoever changes this file changes what no reader in the world may see changed.
enum VectorFixture {
    /// `formats/vectors` of this source tree.
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "formats/vectors")

    /// A good archive: its file, how it is compressed and what is in it.
    struct Good: Sendable, CustomTestStringConvertible {
        var file: String
        var compression: Compression
        var content: Content

        var testDescription: String { file }
    }

    /// What an archive is made of.
    struct Content: Sendable {
        var namespaces: [NamespaceDescriptor]
        var chunks: [RawChunk]
    }

    static func good() throws -> [Good] {
        [
            Good(
                file: "good-gzip.archive.gz", compression: try Compression(.gzip, level: 6),
                content: everyKind),
            Good(
                file: "good-gzip-fast.archive.gz", compression: try Compression(.gzip, level: 2),
                content: everyKind),
            Good(
                file: "good-zstd.archive.zst", compression: try Compression(.zstd, level: 3),
                content: everyKind),
            Good(
                file: "good-lz4.archive.lz4", compression: try Compression(.lz4, level: 1),
                content: everyKind),
            Good(
                file: "good-many-chunks.archive.gz",
                compression: try Compression(.gzip, level: 6), content: manyChunks),
            Good(
                file: "good-empty.archive.gz", compression: try Compression(.gzip, level: 6),
                content: Content(namespaces: [], chunks: [])),
        ]
    }

    static func bytes(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: file)))
    }

    /// `expected.json`, which `formats/make_bad_vectors.py` writes.
    static func expected() throws -> Expected {
        try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
    }

    struct Expected: Decodable {
        struct Good: Decodable {
            struct Entry: Decodable {
                var db: String
                var collection: String
                var documents: UInt64
                var bytes: UInt64
                var crc64: String
                var fingerprint: String
            }

            var codec: String
            var chunks: Int
            var documents: UInt64
            var bytes: UInt64
            var seal: String
            var namespaces: [Entry]
        }

        /// What each way of reading says: a code of `ArchiveError`.
        struct Bad: Decodable {
            var index: String
            var stream: String
        }

        var good: [String: Good]
        var bad: [String: Bad]
    }

    /// Writes an archive as the vector has it.
    static func archive(_ vector: Good, width: Int = 2) async throws -> [UInt8] {
        let archive = MemoryArchive()
        var writer = try ArchiveWriter(
            to: archive,
            prelude: ArchivePrelude(
                serverVersion: "6.0.5", toolVersion: "cairn vectors",
                namespaces: vector.content.namespaces),
            options: ArchiveWriter.Options(
                compression: vector.compression, width: width,
                chunkTargetByteCount: ArchiveLimits.chunkTargetByteCountMin))
        var waiting = vector.content.chunks[...]
        try await writer.write { waiting.popFirst() }
        var manifest = ArchiveFixture.manifest
        manifest.tool = "cairn vectors"
        manifest.finishedAt = manifest.startedAt + 2500
        _ = try await writer.finish(manifest)
        return archive.bytes
    }
}

// MARK: Contents

extension VectorFixture {
    /// A collection whose name needs every kind of escaping.
    private static let odd = descriptor("shop", "odd \"name\"/%2F $é😀\n.x", .collection)

    /// Every kind of chunk, a time series, a view, an empty collection, an odd name, and `_id`s of
    /// several types.
    static var everyKind: Content {
        let users = descriptor("admin", "system.users", .collection)
        let version = descriptor("admin", "system.version", .collection)
        var orders = ArchiveFixture.large
        orders.uuid = Array(0..<16)
        let weather = NamespaceDescriptor(
            namespace: Namespace("shop", "weather"), type: .timeseries,
            dataCollection: "system.buckets.weather",
            options: BSONDocument {
                $0.append("timeseries", BSONDocument { $0.append("timeField", "at") })
            })
        let namespaces = [
            users, version, orders, odd, weather, ArchiveFixture.view,
            descriptor("shop", "empty", .collection),
        ]
        let schema = BSONDocument {
            $0.append("_id", "authSchema")
            $0.append("currentVersion", Int32(5))
        }
        // One ends in the chunk of its documents, the other in a chunk of its own.
        let special = [
            ArchiveFixture.whole(.special, 0, users, [document(id: "shop.ann")]),
            run(.special, 1, version, [schema], last: true),
        ]
        let ordered = (0..<3).map { part in
            run(
                .data, 2, orders, (part * 4..<part * 4 + 4).map { document(id: Int32($0)) },
                last: part == 2)
        }
        let oddDocuments = [
            document(id: -1.5), document(id: Int64.max), document(id: "z"), document(id: true),
        ]
        let buckets = [document(id: Int32(7)), BSONDocument { $0.append("no", "id") }]
        var mixed = RawChunkBuilder(.mixed, capacityByteCount: 1 << 12)
        for (ordinal, documents) in [(4, buckets), (5, []), (6, [])] {
            mixed.append(
                ArchiveFixture.whole(.mixed, UInt32(ordinal), namespaces[ordinal], documents))
        }
        return Content(
            namespaces: namespaces,
            chunks: special + ordered + [
                run(.data, 3, odd, oddDocuments, last: true), mixed.finished(),
            ])
    }

    /// So many rows, and a manifest so long, that the index takes two frames.
    static var manyChunks: Content {
        var long = descriptor("shop", "many", .collection)
        long.options = BSONDocument {
            $0.append(
                "validator",
                BSONDocument { $0.append("$comment", String(repeating: "x", count: 50_000)) })
        }
        let chunkCount = 120
        return Content(
            namespaces: [long],
            chunks: (0..<chunkCount).map {
                run(.data, 0, long, [document(id: Int32($0))], last: $0 == chunkCount - 1)
            })
    }

    private static func descriptor(
        _ database: String, _ collection: String, _ type: NamespaceType
    ) -> NamespaceDescriptor {
        NamespaceDescriptor(namespace: Namespace(database, collection), type: type)
    }

    private static func run(
        _ kind: ChunkKind, _ ordinal: UInt32, _ descriptor: NamespaceDescriptor,
        _ documents: [BSONDocument],
        last: Bool
    ) -> RawChunk {
        var builder = RawChunkBuilder(
            kind, namespaceOrdinal: ordinal, capacityByteCount: 1 << 12)
        builder.beginBlock(descriptor.dataNamespace, ordinal: ordinal)
        for document in documents { document.bytes.withUnsafeBytes { builder.append($0) } }
        builder.endBlock()
        return builder.finished(closesNamespace: last)
    }

    private static func document(id: Int32) -> BSONDocument {
        BSONDocument {
            $0.append("_id", id); $0.append("n", String(repeating: "stone ", count: 4))
        }
    }

    private static func document(id: Int64) -> BSONDocument {
        BSONDocument { $0.append("_id", id) }
    }
    private static func document(id: Double) -> BSONDocument {
        BSONDocument { $0.append("_id", id) }
    }
    private static func document(id: String) -> BSONDocument {
        BSONDocument { $0.append("_id", id) }
    }
    private static func document(id: Bool) -> BSONDocument { BSONDocument { $0.append("_id", id) } }
}
