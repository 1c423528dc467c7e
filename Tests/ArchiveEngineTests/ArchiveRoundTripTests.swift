import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Testing

@Suite struct ArchiveRoundTripTests {
    static let compressions: [Compression] = {
        let all: [(Codec, [Int])] = [
            (.gzip, Array(1...12)), (.zstd, [1, 3, 19]), (.lz4, [1, 9, 12]),
        ]
        return all.flatMap { codec, levels in
            levels.compactMap { try? Compression(codec, level: $0) }
        }
    }()

    @Test(arguments: compressions)
    func everyCodecAndLevelVerifiesByIndexAndAsAStream(_ compression: Compression) async throws {
        let archive = try await ArchiveFixture.archive(compression)
        for asStream in [false, true] {
            for width in [1, 3] {
                let report = try await ArchiveFixture.verify(
                    archive.bytes, asStream: asStream, width: width)
                #expect(report.documentCount == 123)
                #expect(report.namespaceCount == 4)
                #expect(report.hasChunkChecksums)
                #expect(report.storedByteCount == archive.byteCount || asStream)
            }
        }
    }

    @Test func theBytesDoNotDependOnTheWidth() async throws {
        let sequential = try await ArchiveFixture.archive(width: 1)
        let parallel = try await ArchiveFixture.archive(width: 5)
        #expect(sequential.bytes == parallel.bytes)
    }

    @Test func everyCutIsRefused() async throws {
        let bytes = try await ArchiveFixture.archive().bytes
        for count in bytes.indices {
            let cut = Array(bytes.prefix(count))
            await #expect(throws: ArchiveError.self, "cut at \(count)") {
                try await ArchiveFixture.verify(cut, width: 1)
            }
        }
        for count in stride(from: 0, to: bytes.count, by: 13) {
            let cut = Array(bytes.prefix(count))
            await #expect(throws: ArchiveError.self, "stream cut at \(count)") {
                try await ArchiveFixture.verify(cut, asStream: true, width: 1)
            }
        }
    }

    @Test(arguments: [Codec.gzip, .zstd, .lz4])
    func everyFlippedByteIsDetected(_ codec: Codec) async throws {
        let chunks = ArchiveFixture.chunks(chunkCount: 2, documentCount: 5)
        let bytes = try await ArchiveFixture.archive(
            Compression(codec), chunks: chunks
        ).bytes
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= UInt8(1 << (index % 8))
            await #expect(throws: ArchiveError.self, "byte \(index)") {
                try await ArchiveFixture.verify(damaged, width: 1)
            }
            guard index % 3 == 0 else { continue }
            await #expect(throws: ArchiveError.self, "byte \(index) of the stream") {
                try await ArchiveFixture.verify(damaged, asStream: true, width: 1)
            }
        }
        // The canary: undamaged, the same bytes pass.
        _ = try await ArchiveFixture.verify(bytes, width: 1)
    }

    @Test func bytesBehindTheTrailerAreRefused() async throws {
        let bytes = try await ArchiveFixture.archive().bytes
        for asStream in [false, true] {
            await #expect(throws: ArchiveError.self) {
                try await ArchiveFixture.verify(bytes + [0], asStream: asStream)
            }
        }
    }

    @Test func aSelectionReadsOnlyItsChunks() async throws {
        let archive = try await ArchiveFixture.archive()
        let reader = try await IndexedArchiveReader(archive)
        reader.select([2])
        var kinds: [ChunkKind] = []
        while let pending = try await reader.next() {
            kinds.append(try #require(try pending.decoded().header?.kind))
        }
        #expect(kinds == [.prelude, .mixed])
    }

    @Test func theManifestSurvivesItsBytes() async throws {
        let archive = try await ArchiveFixture.archive()
        let index = try await IndexedArchiveReader(archive).index
        #expect(try Manifest(index.manifest.document) == index.manifest)
        #expect(index.manifest.namespaces[1].descriptor == ArchiveFixture.large)
        #expect(index.manifest.namespaces[1].totals.documentCount == 120)
        #expect(index.manifest.documentCount == 123)
        let keys = index.rows.compactMap(\.keys)
        #expect(keys.count == 3)
        #expect(keys == keys.sorted { $0.lowerBound < $1.lowerBound })
    }

    @Test func aNamespaceWithoutItsEndIsRefused() async throws {
        var chunks = ArchiveFixture.chunks()
        chunks.removeLast()
        let bytes = try await ArchiveFixture.archive(chunks: chunks).bytes
        await #expect(throws: ArchiveError.self) { try await ArchiveFixture.verify(bytes) }
    }

    @Test func aSinkThatFailsFailsTheWriter() async throws {
        struct FullDisk: Error {}
        struct Full: ByteSink {
            func write(_ bytes: [UInt8]) async throws { throw FullDisk() }
        }
        var writer = try ArchiveWriter(
            to: Full(), prelude: ArchiveFixture.prelude,
            options: ArchiveWriter.Options(
                compression: .standard, width: 3, chunkTargetByteCount: 1 << 20))
        var waiting = ArchiveFixture.chunks()[...]
        await #expect(throws: FullDisk.self) { try await writer.write { waiting.popFirst() } }
    }
}
