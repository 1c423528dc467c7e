import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import Snapshots
import Testing

/// Archives that are written anew.
@Suite struct ConversionTests {
    private func convert(
        _ bytes: [UInt8], in folder: TemporaryFolder,
        adjust: (inout Conversion.Options) -> Void = { _ in }
    ) async throws -> [UInt8] {
        let path = try folder.file("old-\(UUID())", bytes)
        let new = folder.path + "/new-\(UUID())"
        var options = Conversion.Options(width: 2, temporaryFolder: folder.path)
        options.chunkTargetByteCount = ArchiveLimits.chunkTargetByteCountMin
        adjust(&options)
        let report = try await Conversion(
            .file(path), to: .file(new), options: options, environment: MadeArchive.environment,
            observer: RecordingObserver()
        ).run()
        #expect(report.place == new)
        return try folder.bytes(new)
    }

    @Test(arguments: [
        "clinic.archive", "clinic.archive.gz", "types.archive", "odd-names.archive",
        "full-oplog.archive.gz",
    ])
    func everyArchiveOfMongodumpKeepsItsDocuments(_ file: String) async throws {
        let folder = try TemporaryFolder()
        let bytes = [UInt8](
            try Data(contentsOf: MongodumpArchiveTests.folder.appending(path: file)))
        let new = try await convert(bytes, in: folder)
        let found = try await MadeArchive.documents(new)
        #expect(try await found == MadeArchive.documents(bytes))
        #expect(!found.isEmpty)
        // It has an index now, and nothing is left beside it.
        let reader = try await ArchiveOpener.open(
            ByteCollector(new) as any ArchiveEngine.ByteSource
        ).reader
        #expect(reader.manifest?.id == "20270115T080000Z-indexed-000009")
        #expect(try folder.contents.count == 2)
    }

    @Test func mixedNamespacesComeOneAfterAnother() async throws {
        let folder = try TemporaryFolder()
        let names = (0..<12).map { "shop.c\($0)" }
        var blocks: [(String, [BSONDocument])] = []
        for round in 0..<40 {
            for (position, name) in names.enumerated() {
                let start = round * 1000 + position * 10
                blocks.append((name, MadeArchive.made(start..<start + 10, padding: 60)))
            }
        }
        let old = try MadeArchive.mongodump(names, blocks)
        let new = try await convert(old, in: folder)
        let found = try await MadeArchive.documents(new)
        #expect(try await found == MadeArchive.documents(old))
        #expect(found["shop.c3"]?.count == 400)
    }

    @Test func usersComeFirstWhereverTheyWere() async throws {
        let folder = try TemporaryFolder()
        let old = try MadeArchive.mongodump(
            ["shop.a", "admin.system.users"],
            [
                ("shop.a", MadeArchive.made(0..<500, padding: 200)),
                ("admin.system.users", MadeArchive.made(0..<3)),
            ])
        let new = try await convert(old, in: folder)
        let reader = try await ArchiveOpener.open(
            ByteCollector(new) as any ArchiveEngine.ByteSource
        ).reader
        var kinds: [ChunkKind] = []
        while let pending = try await reader.next() {
            if let kind = try pending.decoded().header?.kind { kinds.append(kind) }
        }
        #expect(kinds.prefix(3) == [.prelude, .special, .special])
        #expect(try await MadeArchive.documents(new) == MadeArchive.documents(old))
    }

    @Test func anArchiveOfOnesOwnCanBeCompressedInAnotherWay() async throws {
        let folder = try TemporaryFolder()
        let old = try await MadeArchive.cairn([
            MadeArchive.Part("shop.a", [MadeArchive.made(0..<50), MadeArchive.made(50..<90)]),
            MadeArchive.Part("shop.b", [MadeArchive.made(0..<2)], isMixed: true),
        ])
        let zstd = try Compression(.zstd)
        let new = try await convert(old, in: folder) { $0.compression = zstd }
        #expect(try await MadeArchive.documents(new) == MadeArchive.documents(old))
        #expect(new.starts(with: Frame.skippableMagic))
    }

    @Test func aDamagedArchiveIsRefusedAndNothingIsLeft() async throws {
        let folder = try TemporaryFolder()
        let old = try MadeArchive.mongodump(
            ["shop.a"], [("shop.a", MadeArchive.made(0..<50))])
        var flipped = old
        flipped[old.count / 2] ^= 1
        await #expect(throws: ArchiveError.self) { try await convert(flipped, in: folder) }
        await #expect(throws: ArchiveError.self) {
            try await convert(old.dropLast(3), in: folder)
        }
        #expect(try folder.contents.filter { $0.hasPrefix("new") || $0.hasPrefix(".") } == [])
    }
}
