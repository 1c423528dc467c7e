import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import Testing

/// The archives that never change, read by every way of reading (`formats/archive.md`, section 9).
@Suite struct VectorTests {
    /// Writes the good vectors: once, when version 1 was made. `formats/make_bad_vectors.py` makes
    /// the bad ones and `expected.json` from them.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["CAIRN_WRITE_VECTORS"] != nil))
    func theGoodVectorsAreWrittenWhenAskedFor() async throws {
        let folder = try #require(ProcessInfo.processInfo.environment["CAIRN_WRITE_VECTORS"])
        for vector in try VectorFixture.good() {
            let bytes = try await VectorFixture.archive(vector)
            try Data(bytes).write(to: URL(filePath: folder).appending(path: vector.file))
        }
    }

    @Test(arguments: try VectorFixture.good(), [false, true])
    func aGoodVectorIsWhole(_ vector: VectorFixture.Good, asStream: Bool) async throws {
        let expected = try #require(try VectorFixture.expected().good[vector.file])
        let bytes = try VectorFixture.bytes(vector.file)
        let report = try await ArchiveFixture.verify(bytes, asStream: asStream)
        #expect(report.documentCount == expected.documents)
        #expect(report.documentByteCount == expected.bytes)
        #expect(report.namespaceCount == expected.namespaces.count)
        #expect(report.hasChunkChecksums)
        let reader = try await IndexedArchiveReader(MemoryArchive(bytes))
        #expect(reader.seal.description == expected.seal)
        #expect(reader.index.rows.count == expected.chunks)
        #expect(reader.index.manifest.compression == vector.compression)
        for (entry, expected) in zip(reader.index.manifest.namespaces, expected.namespaces) {
            #expect(entry.descriptor.namespace == Namespace(expected.db, expected.collection))
            #expect(entry.totals.documentCount == expected.documents)
            #expect(entry.totals.byteCount == expected.bytes)
            #expect(entry.totals.crc64 == UInt64(expected.crc64, radix: 16))
            #expect(hexadecimal(entry.totals.fingerprint.bytes) == expected.fingerprint)
        }
    }

    /// Another version of a codec's library may compress otherwise, and ISA-L does on another
    /// processor. So what the format decides must be the same, and not the compressed bytes:
    /// content, headers and rows without the fields that count or hash stored bytes.
    @Test(arguments: try VectorFixture.good(), [1, 3])
    func theWriterWritesAGoodVectorAgain(_ vector: VectorFixture.Good, width: Int) async throws {
        let stored = try await contents(VectorFixture.bytes(vector.file))
        let written = try await contents(VectorFixture.archive(vector, width: width))
        #expect(stored.manifest == written.manifest)
        #expect(stored.chunks == written.chunks)
    }

    @Test(arguments: try VectorFixture.expected().bad.keys.sorted(), [false, true])
    func aBadVectorIsRefused(_ file: String, asStream: Bool) async throws {
        let expected = try #require(try VectorFixture.expected().bad[file])
        let error = await #expect(throws: ArchiveError.self) {
            try await ArchiveFixture.verify(VectorFixture.bytes(file), asStream: asStream)
        }
        #expect(
            error?.code.rawValue == (asStream ? expected.stream : expected.index),
            "\(error.map(\.description) ?? "accepted")")
    }

    @Test func everyVectorIsExpected() throws {
        let expected = try VectorFixture.expected()
        let files = try FileManager.default.contentsOfDirectory(
            atPath: VectorFixture.folder.path()
        ).filter { $0 != "expected.json" }
        #expect(Set(files) == Set(expected.good.keys).union(expected.bad.keys))
        #expect(Set(try VectorFixture.good().map(\.file)) == Set(expected.good.keys))
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// What the format decides of a chunk.
    private struct Chunk: Equatable {
        var header: ChunkHeader
        var keys: ClosedRange<DocumentKey>?
        var bytes: [UInt8]
    }

    private func contents(
        _ bytes: [UInt8]
    ) async throws -> (manifest: Manifest, chunks: [Chunk]) {
        let reader = try await IndexedArchiveReader(MemoryArchive(bytes))
        var chunks: [Chunk] = []
        while let pending = try await reader.next() {
            let decoded = try pending.decoded()
            var header = try #require(decoded.header)
            header.storedByteCount = 0
            header.payloadCRC64 = 0
            chunks.append(
                Chunk(
                    header: header, keys: reader.index.rows[chunks.count].keys,
                    bytes: decoded.bytes))
        }
        return (reader.index.manifest, chunks)
    }
}
