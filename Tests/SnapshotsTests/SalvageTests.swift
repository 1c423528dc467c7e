import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import Glibc
import ObjectStorage
import Snapshots
import Testing

/// Damaged archives of which everything comes back that is whole.
@Suite struct SalvageTests {
    private static let parts = [
        MadeArchive.Part("admin.system.users", [MadeArchive.made(0..<2)]),
        MadeArchive.Part(
            "shop.orders",
            [MadeArchive.made(0..<3), MadeArchive.made(3..<6), MadeArchive.made(6..<9)]),
        MadeArchive.Part("shop.items", [MadeArchive.made(100..<102)]),
        MadeArchive.Part("shop.tiny", [MadeArchive.made(7..<9)], isMixed: true),
    ]

    private struct Outcome {
        var report: SalvageReport
        /// What the new archive holds, after all of it was checked.
        var documents: [String: [BSONDocument]]
    }

    private static func salvage(
        _ bytes: [UInt8], in folder: TemporaryFolder
    ) async throws -> Outcome {
        let path = try folder.file("damaged-\(UUID())", bytes)
        let new = folder.path + "/saved-\(UUID())"
        let options = Salvage.Options(width: 2, temporaryFolder: folder.path)
        let report = try await Salvage(
            .file(path), to: .file(new), options: options, environment: MadeArchive.environment,
            observer: RecordingObserver()
        ).run()
        let saved = try folder.bytes(new)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.removeItem(atPath: new)
        return Outcome(report: report, documents: try await MadeArchive.documents(saved))
    }

    /// The archive's chunks: where each is, and which documents it holds.
    private static func layout(
        _ bytes: [UInt8]
    ) async throws -> [(range: Range<Int>, name: String?, documents: [BSONDocument])] {
        let collector = ByteCollector(bytes)
        let reader = try await IndexedArchiveReader(collector)
        var chunks: [(Range<Int>, String?, [BSONDocument])] = []
        for (sequence, row) in reader.index.rows.enumerated() {
            let range = Int(row.offset)..<Int(row.offset + row.storedByteCount)
            let chunk = try await reader.chunks.read(UInt32(sequence)).decoded()
            let block = chunk.blocks.first { !$0.header.isEnd }
            let documents = try block.map { try split(chunk.bytes[$0.documents]) }
            chunks.append((range, block?.header.namespace.description, documents ?? []))
        }
        return chunks
    }

    private static func split(_ bytes: ArraySlice<UInt8>) throws -> [BSONDocument] {
        var documents: [BSONDocument] = []
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            documents.append(try BSONDocument(validating: Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        return documents
    }

    @Test func aWholeArchiveIsSavedAsAWhole() async throws {
        let folder = try TemporaryFolder()
        let bytes = try await MadeArchive.cairn(Self.parts)
        let outcome = try await Self.salvage(bytes, in: folder)
        #expect(outcome.report.isComplete)
        #expect(try await outcome.documents == MadeArchive.documents(bytes))
    }

    /// Every byte in turn: all chunks are found whole but the one that the flip is in.
    @Test(arguments: Codec.allCases)
    func aFlipTouchesOneChunk(_ codec: Codec) async throws {
        let bytes = try await MadeArchive.cairn(Self.parts, Compression(codec))
        let layout = try await Self.layout(bytes)
        for position in bytes.indices {
            var flipped = bytes
            flipped[position] ^= 1 << (position % 8)
            let findings = try await ArchiveSalvager.inspect(ByteCollector(flipped), width: 1)
            let whole = Set(findings.whole.map { Int($0.header.sequence) })
            for (sequence, chunk) in layout.enumerated()
            where chunk.name != nil && !chunk.range.contains(position) {
                #expect(whole.contains(sequence), "\(codec.name), byte \(position)")
            }
        }
    }

    /// What the flip did not touch comes back, and what it did is told.
    @Test(arguments: Codec.allCases)
    func aFlipLosesOnlyTheChunkItIsIn(_ codec: Codec) async throws {
        let folder = try TemporaryFolder()
        let bytes = try await MadeArchive.cairn(Self.parts, Compression(codec))
        let layout = try await Self.layout(bytes)
        let whole = try await MadeArchive.documents(bytes)
        for position in stride(from: 0, to: bytes.count, by: 11) {
            var flipped = bytes
            flipped[position] ^= 1 << (position % 8)
            let outcome = try await Self.salvage(flipped, in: folder)
            let touched = layout.first { $0.range.contains(position) }
            for (name, documents) in whole {
                let lost = touched?.name == name ? touched?.documents ?? [] : []
                let rest = documents.filter { !lost.contains($0) }
                let found = outcome.documents[name] ?? []
                // A flip in front of a chunk's header touches nothing that does not follow from it.
                #expect(
                    found == rest || found == documents, "\(codec.name), byte \(position), \(name)")
                guard found != documents else { continue }
                let losses = outcome.report.losses.filter { $0.namespace?.description == name }
                #expect(losses.map(\.chunkCount) == [1], "byte \(position)")
                #expect(losses.first?.documentCount == UInt64(lost.count))
                #expect(outcome.report.manifest.loss?.chunkCount ?? 0 >= 1)
            }
            if outcome.documents != whole { #expect(!outcome.report.isComplete) }
        }
    }

    @Test func aCutArchiveGivesBackEveryWholeChunk() async throws {
        let folder = try TemporaryFolder()
        let bytes = try await MadeArchive.cairn(Self.parts)
        let layout = try await Self.layout(bytes)
        let firstData = try #require(layout.first { $0.name != nil }).range.upperBound
        for cut in stride(from: firstData, to: bytes.count, by: 29) {
            let outcome = try await Self.salvage(Array(bytes[..<cut]), in: folder)
            var expected: [String: [BSONDocument]] = [:]
            for chunk in layout where chunk.range.upperBound <= cut {
                if let name = chunk.name { expected[name, default: []] += chunk.documents }
            }
            #expect(outcome.documents.filter { !$0.value.isEmpty } == expected, "cut at \(cut)")
            #expect(!outcome.report.isComplete)
        }
    }

    @Test func missingAndInsertedBytesLoseOneChunk() async throws {
        let folder = try TemporaryFolder()
        let bytes = try await MadeArchive.cairn(Self.parts)
        let layout = try await Self.layout(bytes)
        let whole = try await MadeArchive.documents(bytes)
        for chunk in layout where chunk.name == "shop.orders" {
            let middle = (chunk.range.lowerBound + chunk.range.upperBound) / 2
            let damaged = [
                Array(bytes[..<middle] + bytes[(middle + 5)...]),
                Array(bytes[..<middle] + [1, 2, 3] + bytes[middle...]),
            ]
            for damage in damaged {
                let outcome = try await Self.salvage(damage, in: folder)
                var expected = whole
                expected["shop.orders"]?.removeAll { chunk.documents.contains($0) }
                #expect(outcome.documents == expected)
            }
        }
    }

    @Test func rangesOfLostDocumentsAreTold() async throws {
        let folder = try TemporaryFolder()
        var bytes = try await MadeArchive.cairn(Self.parts)
        let chunk = try #require(
            try await Self.layout(bytes).filter { $0.name == "shop.orders" }.dropFirst().first)
        bytes[chunk.range.upperBound - 20] ^= 4
        let report = try await Self.salvage(bytes, in: folder).report
        let loss = try #require(report.losses.first)
        #expect(loss.namespace == Namespace("shop", "orders"))
        #expect(loss.ranges.map(\.lowerBound.description) == ["3"])
        #expect(loss.ranges.map(\.upperBound.description) == ["5"])
    }

    @Test func anArchiveWithinADocumentIsNotTakenForPartOfTheOtherOne() async throws {
        let folder = try TemporaryFolder()
        let inner = try await MadeArchive.cairn([
            MadeArchive.Part("shop.orders", [MadeArchive.made(900..<905)])
        ])
        let holder = BSONDocument {
            $0.append("_id", Int32(1))
            $0.append("file", binary: inner, subtype: 0)
        }
        let parts = [
            MadeArchive.Part("shop.files", [[holder]]),
            MadeArchive.Part("shop.orders", [MadeArchive.made(0..<5), MadeArchive.made(5..<9)]),
        ]
        let bytes = try await MadeArchive.cairn(parts)
        let layout = try await Self.layout(bytes)
        // Its header is damaged, so that the next one is looked for within the document.
        let files = try #require(layout.first { $0.name == "shop.files" })
        var flipped = bytes
        flipped[files.range.lowerBound + 30] ^= 1
        let outcome = try await Self.salvage(flipped, in: folder)
        #expect(outcome.documents["shop.orders"] == MadeArchive.made(0..<9))
        #expect(outcome.documents["shop.files"] == [])
    }

    @Test func anArchiveOfMongodumpIsReadAsFarAsItGoes() async throws {
        let folder = try TemporaryFolder()
        let bytes = try MadeArchive.mongodump(
            ["shop.a", "shop.b"],
            [
                ("shop.a", MadeArchive.made(0..<5)), ("shop.b", MadeArchive.made(10..<15)),
                ("shop.a", MadeArchive.made(5..<9)),
            ])
        let whole = try await MadeArchive.documents(bytes)
        let whereDocumentsBegin = try #require(
            bytes.firstRange(of: MadeArchive.made(0..<1)[0].bytes)
        ).lowerBound
        for cut in stride(from: whereDocumentsBegin, to: bytes.count, by: 11) {
            let outcome = try await Self.salvage(Array(bytes[..<cut]), in: folder)
            for (name, documents) in outcome.documents {
                #expect(whole[name]?.starts(with: documents) == true, "cut at \(cut)")
            }
            let found = outcome.documents.values.reduce(0) { $0 + $1.count }
            let before = (0..<9).filter { number in
                let document = MadeArchive.made(number..<number + 1)[0].bytes
                guard let range = bytes.firstRange(of: document) else { return false }
                return range.upperBound <= cut
            }.count
            #expect(found >= before, "cut at \(cut)")
            #expect(!outcome.report.isComplete)
        }
        // A document that is not as it was is kept, and told.
        var flipped = bytes
        flipped[whereDocumentsBegin + 30] ^= 1
        let report = try await Self.salvage(flipped, in: folder).report
        #expect(report.losses.map(\.namespace) == [Namespace("shop", "a")])
    }

    @Test func anArchiveFromAPipeIsReadUpToTheFirstDefect() async throws {
        let folder = try TemporaryFolder()
        var bytes = try await MadeArchive.cairn(Self.parts)
        let layout = try await Self.layout(bytes)
        let chunk = try #require(layout.filter { $0.name == "shop.orders" }.dropFirst().first)
        bytes[chunk.range.upperBound - 20] ^= 1
        let path = try folder.file("damaged", bytes)
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let new = folder.path + "/saved"
        let report = try await Salvage(
            .pipe(PipeStream(descriptor: descriptor, name: "pipe")), to: .file(new),
            options: Salvage.Options(width: 2, temporaryFolder: folder.path),
            environment: MadeArchive.environment, observer: RecordingObserver()
        ).run()
        #expect(report.ending != nil && !report.isComplete)
        let found = try await MadeArchive.documents(folder.bytes(new))
        #expect(found["shop.orders"] == MadeArchive.made(0..<3))
    }

    /// What is newer than its data, or lacks some of it, is not what "latest" means.
    @Test func aSalvagedSnapshotIsNotTheLatest() async throws {
        let folder = try TemporaryFolder()
        let store = try await FileSystemStore(folder: folder.path, create: false)
        let bytes = try await MadeArchive.cairn(Self.parts)
        let taken = "20260101T000000Z-manual-000001.archive.gz"
        let catalog = SnapshotCatalog(store)
        _ = try folder.file("20260301T000000Z-salvaged-000002.archive.gz", bytes)
        await #expect(throws: SnapshotError.self) { try await catalog.key(for: "latest") }
        _ = try folder.file(taken, bytes)
        _ = try folder.file("20260201T000000Z-indexed-000003.archive.gz", bytes)
        #expect(try await catalog.key(for: "latest") == taken)
        #expect(try await catalog.key(for: "20260301").contains("salvaged"))
    }

    @Test func ofTwoSnapshotsOfOneSecondTheOneBegunLaterIsTheLatest() async throws {
        let server = ["20260101T000000Z-manual-ffffff", "20260101T000000Z-manual-000001"]
        let folder = try TemporaryFolder()
        let store = try await FileSystemStore(folder: folder.path, create: false)
        for (number, name) in server.enumerated() {
            let bytes = try await MadeArchive.cairn(Self.parts, startedAt: Int64(number))
            _ = try folder.file(name + ".archive.gz", bytes)
        }
        let catalog = SnapshotCatalog(store)
        #expect(try await catalog.key(for: "latest") == server[1] + ".archive.gz")
        #expect(try await catalog.list().map(\.id.description) == server)
    }

    @Test func whatIsNoArchiveIsRefused() async throws {
        let folder = try TemporaryFolder()
        for bytes in [[], Array("a text".utf8), [UInt8](repeating: 0, count: 5000)] {
            await #expect(throws: ArchiveError.self) { try await Self.salvage(bytes, in: folder) }
        }
        #expect(try folder.contents.filter { $0.hasPrefix("saved") } == [])
    }
}
