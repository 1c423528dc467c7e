import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// Tuning against a real server.
@Suite(.needsServer) struct TuneTests {
    private func tune(
        _ fixture: SnapshotFixture, scratch: String? = nil
    ) async throws -> TuneReport {
        var options = Tune.Options(processorCount: 2, processorSeconds: { 0 })
        options.filter = NamespaceFilter(database: fixture.database)
        options.secondsMax = 0.1
        options.scratchDatabase = scratch
        return try await Tune(
            fixture.pool, fixture.store, options: options, observer: RecordingObserver()
        ).run()
    }

    @Test func itMeasuresEveryStageAndLeavesNothingBehind() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert((1...2000).map { document(Int32($0)) }, "c")
        let scratch = fixture.database + "_scratch"
        let before = try await fixture.state()
        let report = try await tune(fixture, scratch: scratch)
        let measured = report.measurements
        #expect(report.sampleDocumentCount == 2000)
        #expect(
            measured.readings.count == 4 && measured.readings.allSatisfy { $0.bytesPerSecond > 0 })
        #expect(measured.encodings.count == 8 && measured.chunkSizes.count == 3)
        #expect(
            measured.encodings.allSatisfy { $0.bytesPerSecond > 0 && (0..<1).contains($0.ratio) })
        #expect(measured.diskBytesPerSecond > 0)
        #expect(measured.insertions.count == 6)
        #expect(measured.insertions.allSatisfy { $0.bytesPerSecond > 0 })
        #expect(report.conclusion.bytesPerSecond > 0)
        #expect(try fixture.folder.contents == [])
        #expect(try await fixture.state() == before)
        let databases = try await fixture.pool.withConnection { try await $0.databaseNames() }
        #expect(!databases.contains(scratch))
        try await fixture.drop()
    }

    @Test func withoutDocumentsThereIsNothingToMeasure() async throws {
        let fixture = try await SnapshotFixture.shared()
        let error = await #expect(throws: SnapshotError.self) { try await tune(fixture) }
        #expect(error?.code == .notFound)
        #expect(try fixture.folder.contents == [])
    }
}
