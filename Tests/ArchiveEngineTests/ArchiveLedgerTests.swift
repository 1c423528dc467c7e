import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Testing

/// What only the archive as a whole can show; the bad vectors show the rest.
@Suite struct ArchiveLedgerTests {
    private func archive(
        _ namespaces: [NamespaceDescriptor], _ chunks: [RawChunk], preludePieceByteCount: Int
    ) async throws -> [UInt8] {
        let archive = MemoryArchive()
        var writer = try ArchiveWriter(
            to: archive,
            prelude: ArchivePrelude(
                serverVersion: "6.0.5", toolVersion: "cairn test", namespaces: namespaces),
            options: ArchiveWriter.Options(
                compression: .standard, width: 2, chunkTargetByteCount: preludePieceByteCount))
        var waiting = chunks[...]
        try await writer.write { waiting.popFirst() }
        _ = try await writer.finish(ArchiveFixture.manifest)
        return archive.bytes
    }

    @Test(arguments: [false, true])
    func aPreludeMayTakeSeveralChunks(asStream: Bool) async throws {
        let namespaces = ArchiveFixture.prelude.namespaces
        let bytes = try await archive(
            namespaces, ArchiveFixture.chunks(), preludePieceByteCount: 600)
        let index = try await IndexedArchiveReader(MemoryArchive(bytes)).index
        #expect(index.rows.filter { $0.kind == .prelude }.count > 1)
        let report = try await ArchiveFixture.verify(bytes, asStream: asStream)
        #expect(report.documentCount == 123)
    }

    @Test(arguments: [false, true])
    func aNamespaceThatIsListedTwiceIsRefused(asStream: Bool) async throws {
        let small = ArchiveFixture.small
        let bytes = try await archive(
            [small, small], [ArchiveFixture.whole(.mixed, 0, small, [])],
            preludePieceByteCount: 1 << 20)
        let error = await #expect(throws: ArchiveError.self) {
            try await ArchiveFixture.verify(bytes, asStream: asStream)
        }
        #expect(error?.code == .malformed)
    }

    @Test func theEndOfASpecialNamespaceIsASpecialChunk() async throws {
        var chunk = RawChunkBuilder(.special, namespaceOrdinal: 0, capacityByteCount: 1 << 10)
        chunk.beginBlock(ArchiveFixture.users.dataNamespace, ordinal: 0)
        chunk.endBlock()
        let bytes = try await archive(
            [ArchiveFixture.users], [chunk.finished(closesNamespace: true)],
            preludePieceByteCount: 1 << 20)
        let index = try await IndexedArchiveReader(MemoryArchive(bytes)).index
        #expect(index.rows.map(\.kind) == [.prelude, .special, .special])
        _ = try await ArchiveFixture.verify(bytes)
    }
}
