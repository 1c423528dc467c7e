import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import Testing

/// Archives that mongodump 100.18 wrote, read without a server.
@Suite struct ForeignArchiveTests {
    private struct Expected: Decodable {
        var documents: Int?
        var digest: String?
        var type: String

        private enum CodingKeys: String, CodingKey {
            case documents
            case digest = "sha256_of_sorted_document_sha256"
            case type
        }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/mongodump-100.18")
    private static let files = [
        ("clinic.archive", ["clinic"]), ("clinic.archive.gz", ["clinic"]),
        ("types.archive", ["types"]), ("odd-names.archive", ["wéird-db"]),
        ("full-oplog.archive.gz", ["clinic", "large", "types", "wéird-db"]),
    ]

    private static func bytes(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: file)))
    }

    /// Opens an archive at any place, or, with a piece size, as a stream of such pieces.
    private static func open(
        _ bytes: [UInt8], pieceByteCount: Int?
    ) async throws -> any ArchiveReader {
        let archive = MemoryArchive(bytes)
        guard let pieceByteCount else {
            return try await ArchiveOpener.open(archive as any ByteSource).reader
        }
        archive.pieceByteCount = pieceByteCount
        return try await ArchiveOpener.open(archive as any ByteStream).reader
    }

    @Test(arguments: files, [nil, 997, 65_537])
    func everyDocumentIsRead(_ file: (String, [String]), pieceByteCount: Int?) async throws {
        let reader = try await Self.open(Self.bytes(file.0), pieceByteCount: pieceByteCount)
        var documents: [Namespace: [BSONDocument]] = [:]
        while let pending = try await reader.next() {
            let chunk = try pending.decoded()
            for block in chunk.blocks {
                documents[block.header.namespace, default: []] += try split(
                    Array(chunk.bytes[block.documents]))
            }
        }
        let expected = try JSONDecoder().decode(
            [String: Expected].self,
            from: Data(contentsOf: Self.folder.appending(path: "expected.json")))
        for (name, entry) in expected {
            let dot = try #require(name.firstIndex(of: "."))
            let namespace = Namespace(
                String(name[..<dot]), String(name[name.index(after: dot)...]))
            guard file.1.contains(namespace.database), let digest = entry.digest else { continue }
            let read = documents[namespace] ?? []
            #expect(read.count == entry.documents, "\(name)")
            #expect(Self.digest(read) == digest, "\(name)")
        }
        let names = Set(reader.prelude.namespaces.map(\.namespace.description))
        let listed = expected.filter { entry in
            file.1.contains { entry.key.hasPrefix($0 + ".") } && !entry.key.contains("buckets")
        }
        #expect(Set(listed.keys).isSubset(of: names))
    }

    @Test(arguments: files, [nil, 1021])
    func everyArchiveVerifies(_ file: (String, [String]), pieceByteCount: Int?) async throws {
        let bytes = try Self.bytes(file.0)
        for width in [1, 3] {
            let reader = try await Self.open(bytes, pieceByteCount: pieceByteCount)
            let report = try await ArchiveVerifier.verify(reader, width: width)
            #expect(report.documentCount > 0)
            #expect(!report.hasChunkChecksums)
        }
    }

    @Test func everyCutIsRefused() async throws {
        let bytes = try Self.bytes("types.archive")
        for count in bytes.indices {
            let cut = Array(bytes.prefix(count))
            for pieceByteCount in [nil, 101] {
                await #expect(throws: ArchiveError.self, "cut at \(count)") {
                    try await Self.verify(cut, pieceByteCount)
                }
            }
        }
    }

    /// Only the checksum at a namespace's end protects such an archive. So a flip inside documents
    /// or in an end block is refused; one in the prelude, in the names of types or in the framing
    /// is refused or changes no document.
    @Test func everyFlipIsRefusedOrChangesNoDocument() async throws {
        let bytes = try Self.bytes("types.archive")
        let whole = try await Self.verify(bytes, nil)
        var acceptedCount = 0
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                do {
                    let found = try await Self.verify(damaged, nil)
                    acceptedCount += 1
                    #expect(found == whole, "byte \(index), bit \(bit)")
                } catch is ArchiveError {
                    continue
                }
            }
        }
        // What no checksum covers, and no more: mostly the prelude.
        #expect(acceptedCount < bytes.count * 8 / 2)
    }

    /// Documents and their bytes by namespace, once everything was checked.
    private static func verify(
        _ bytes: [UInt8], _ pieceByteCount: Int?
    ) async throws -> [Namespace: [UInt8]] {
        let reader = try await open(bytes, pieceByteCount: pieceByteCount)
        var ledger = ArchiveLedger(reader.prelude)
        var documents: [Namespace: [UInt8]] = [:]
        while let pending = try await reader.next() {
            let chunk = try pending.decoded()
            try ledger.enter(chunk)
            for block in chunk.blocks {
                documents[block.header.namespace, default: []] += chunk.bytes[block.documents]
            }
        }
        try ledger.close(manifest: nil)
        return documents
    }

    private func split(_ bytes: [UInt8]) throws -> [BSONDocument] {
        var documents: [BSONDocument] = []
        try bytes.withUnsafeBytes { all in
            try BSONFraming.forEachDocument(in: all) {
                documents.append(try BSONDocument(validating: Array($0)))
            }
        }
        return documents
    }

    private static func digest(_ documents: [BSONDocument]) -> String {
        let digests = documents.map { SHA256Digest(of: $0.bytes).description }.sorted()
        return SHA256Digest(of: Array(digests.joined(separator: "\n").utf8)).description
    }
}
