import ArchiveEngine
import ArchiveFormat
import BSONBytes
import ExtendedJSON
import Foundation
import Snapshots
import Testing

/// Archives in files, made and read without a server.
struct MadeArchive {
    /// A namespace and the documents of each of its chunks; a namespace of one chunk that is small
    /// can share it.
    struct Part {
        var descriptor: NamespaceDescriptor
        var chunks: [[BSONDocument]]
        var isMixed = false

        init(_ name: String, _ chunks: [[BSONDocument]], isMixed: Bool = false) {
            let namespace = Namespace(parsing: name) ?? Namespace("test", name)
            descriptor = NamespaceDescriptor(namespace: namespace, type: .collection)
            self.chunks = chunks
            self.isMixed = isMixed
        }
    }

    /// Bytes of an archive of Cairn's.
    static func cairn(_ parts: [Part], _ compression: Compression = .standard, startedAt: Int64 = 0)
        async throws
        -> [UInt8]
    {
        let sink = ByteCollector()
        let prelude = ArchivePrelude(
            serverVersion: "6.0.5", toolVersion: "test", namespaces: parts.map(\.descriptor))
        var writer = try ArchiveWriter(
            to: sink, prelude: prelude,
            options: ArchiveWriter.Options(
                compression: compression, width: 2,
                chunkTargetByteCount: ArchiveLimits.chunkTargetByteCountMin))
        var waiting = try parts.enumerated().flatMap { ordinal, part in
            try rawChunks(part, UInt32(ordinal))
        }[...]
        try await writer.write { waiting.popFirst() }
        let manifest = Manifest(
            id: "20261124T000000Z-manual-000001", tool: "test", startedAt: startedAt,
            source: Manifest.Source(hosts: [], serverVersion: "6.0.5", replicaSet: nil),
            consistency: .none, selection: Manifest.Selection(), compression: compression)
        _ = try await writer.finish(manifest)
        return sink.bytes
    }

    private static func rawChunks(_ part: Part, _ ordinal: UInt32) throws -> [RawChunk] {
        let descriptor = part.descriptor
        let kind: ChunkKind =
            descriptor.isAuthorization ? .special : part.isMixed ? .mixed : .data
        return part.chunks.enumerated().map { position, documents in
            var builder = RawChunkBuilder(
                kind, namespaceOrdinal: part.isMixed ? ChunkHeader.noNamespace : ordinal,
                capacityByteCount: 1 << 12)
            builder.beginBlock(descriptor.dataNamespace, ordinal: ordinal)
            for document in documents { document.bytes.withUnsafeBytes { builder.append($0) } }
            builder.endBlock()
            if part.isMixed {
                let crc64 = documents.flatMap(\.bytes).withUnsafeBytes { CRC64.checksum($0) }
                builder.appendEnd(of: descriptor.dataNamespace, crc64: crc64)
            }
            let isLast = position == part.chunks.count - 1
            return builder.finished(closesNamespace: isLast && !part.isMixed)
        }
    }

    /// Bytes of an archive as mongodump writes it, with options and indexes as Extended JSON alone.
    static func mongodump(_ parts: [Part]) throws -> [UInt8] {
        let header = BSONDocument {
            $0.append("concurrent_collections", Int32(4))
            $0.append("version", "0.1")
            $0.append("server_version", "3.2.0")
            $0.append("tool_version", "3.2.0")
        }
        var bytes = MongodumpBlock.magic + header.bytes
        for part in parts {
            let descriptor = part.descriptor
            let metadata = BSONDocument {
                $0.append("options", descriptor.options)
                $0.append("indexes", array: descriptor.indexes)
            }
            let text = try ExtendedJSONWriter().text(of: metadata)
            bytes +=
                BSONDocument {
                    $0.append("db", descriptor.namespace.database)
                    $0.append("collection", descriptor.namespace.collection)
                    $0.append("metadata", text)
                    $0.append("size", Int32(0))
                }.bytes
        }
        bytes += MongodumpBlock.terminator
        for part in parts {
            let name = part.descriptor.dataNamespace
            let documents = part.chunks.flatMap { $0 }.flatMap(\.bytes)
            let crc64 = documents.withUnsafeBytes { CRC64.checksum($0) }
            bytes += MongodumpBlock.Header(name).document.bytes + documents
            bytes += MongodumpBlock.terminator
            bytes += MongodumpBlock.Header(name, isEnd: true, crc64: crc64).document.bytes
            bytes += MongodumpBlock.terminator
        }
        return bytes
    }

    /// Bytes of an archive as mongodump writes it, with its namespaces' blocks in this order.
    static func mongodump(
        _ namespaces: [String], _ blocks: [(name: String, documents: [BSONDocument])]
    ) throws -> [UInt8] {
        let descriptors = namespaces.map { Part($0, []).descriptor }
        let prelude = ArchivePrelude(
            serverVersion: "6.0.5", toolVersion: "test", namespaces: descriptors)
        var bytes = try prelude.chunks(pieceByteCount: 1 << 20).flatMap(\.bytes)
        var crc64: [String: UInt64] = [:]
        var waiting = names(namespaces)
        func end(_ namespace: Namespace) {
            let crc64 = crc64[namespace.description] ?? 0
            bytes += MongodumpBlock.Header(namespace, isEnd: true, crc64: crc64).document.bytes
            bytes += MongodumpBlock.terminator
        }
        for block in blocks {
            let namespace = Part(block.name, []).descriptor.namespace
            // Everything else has ended when the oplog begins.
            if namespace == NamespaceDescriptor.oplog.namespace {
                for other in waiting where other != namespace { end(other) }
                waiting = [namespace]
            }
            let documents = block.documents.flatMap(\.bytes)
            bytes += MongodumpBlock.Header(namespace).document.bytes + documents
            bytes += MongodumpBlock.terminator
            crc64[namespace.description] = documents.withUnsafeBytes {
                CRC64.checksum($0, after: crc64[namespace.description] ?? 0)
            }
        }
        for namespace in waiting { end(namespace) }
        return bytes
    }

    private static func names(_ texts: [String]) -> [Namespace] {
        texts.map { Part($0, []).descriptor.namespace }
    }

    /// The documents of each namespace, in order, of an archive that is wholly checked.
    static func documents(_ bytes: [UInt8]) async throws -> [String: [BSONDocument]] {
        try await documents(
            of: ArchiveOpener.open(ByteCollector(bytes) as any ArchiveEngine.ByteSource).reader)
    }

    /// The same of one that is open.
    static func documents(of reader: any ArchiveReader) async throws -> [String: [BSONDocument]] {
        var ledger = ArchiveLedger(reader.prelude)
        var found: [String: [BSONDocument]] = [:]
        for descriptor in reader.prelude.namespaces { found[descriptor.namespace.description] = [] }
        while let pending = try await reader.next() {
            let chunk = try pending.decoded()
            try ledger.enter(chunk)
            for block in chunk.blocks {
                var rest = chunk.bytes[block.documents]
                while !rest.isEmpty {
                    let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                    found[block.header.namespace.description, default: []].append(
                        try BSONDocument(validating: Array(rest.prefix(count))))
                    rest = rest.dropFirst(count)
                }
            }
        }
        try ledger.close(manifest: reader.manifest)
        return found
    }

    static func made(_ numbers: Range<Int>, padding: Int = 20) -> [BSONDocument] {
        numbers.map { number in
            BSONDocument {
                $0.append("_id", Int32(number))
                $0.append("text", String(repeating: "stone \(number) ", count: padding))
            }
        }
    }

    static let environment = JobEnvironment(now: { 1_800_000_000_000 }, random: { 9 })
}

/// Bytes in memory, as sink and source.
final class ByteCollector: ArchiveEngine.ByteSink, ArchiveEngine.ByteSource, @unchecked Sendable {
    // Written and read by one test at a time; never shared while it changes.
    private(set) var bytes: [UInt8]

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
}

extension TemporaryFolder {
    /// Writes a file and gives its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    func bytes(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: file)))
    }
}
