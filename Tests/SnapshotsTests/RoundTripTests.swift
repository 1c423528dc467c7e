import ArchiveEngine
import ArchiveFormat
import BSONBytes
import SampleData
import Snapshots
import Testing

@Suite(.needsServer, .serialized) struct RoundTripTests {
    @Test(arguments: [Codec.gzip, .zstd, .lz4])
    func replaceBringsBackEveryKindOfCollectionByteForByte(_ codec: Codec) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await CollectionKinds.make(fixture)
        let before = try await fixture.state()
        let report = try await fixture.backup(Compression(codec))
        #expect(report.manifest.consistency.name == "snapshot")
        try await fixture.drop()
        let observer = RecordingObserver()
        try await fixture.restore(observer: observer)
        let after = try await fixture.state()
        for (name, collection) in before.collections {
            #expect(after.collections[name] == collection, "\(name)")
        }
        #expect(after.collections.count == before.collections.count)
        #expect(observer.notices == [])
        // Once more, over what is there.
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    /// Known before the backup runs, and found again in its archive, also when written anew.
    @Test func identifierAndDescriptionCanBeGiven() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1)], "c")
        let id = SnapshotID(milliseconds: 0, kind: "nightly", random: 7)
        let report = try await fixture.backup {
            $0.id = id
            $0.description = "before the move, \u{2713}"
        }
        #expect(report.place == "19700101T000000Z-nightly-000007.archive.gz")
        let manifest = try await ArchiveLocation.snapshot(id.description, in: fixture.catalog)
            .open().reader.manifest
        #expect(manifest == report.manifest)
        #expect(manifest?.description == "before the move, \u{2713}")
        let converted = try await Conversion(
            .snapshot(id.description, in: fixture.catalog), to: .repository(fixture.store),
            options: Conversion.Options(width: 1, temporaryFolder: fixture.folder.path),
            environment: fixture.environment, observer: RecordingObserver()
        ).run()
        #expect(converted.manifest.description == manifest?.description)
        try await fixture.drop()
    }

    @Test(arguments: ["two\nlines", String(repeating: "é", count: 513), "\u{85}"])
    func descriptionsAreOneLineOfStatedLength(_ text: String) async throws {
        let fixture = try await SnapshotFixture.shared()
        let error = await #expect(throws: SnapshotError.self) {
            try await fixture.backup { $0.description = text }
        }
        #expect(error?.code == .usage)
    }
}
