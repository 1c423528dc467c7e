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
}
