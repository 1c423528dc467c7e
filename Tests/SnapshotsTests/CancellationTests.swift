import BSONBytes
import Snapshots
import Testing

extension InterruptedJobTests {
    /// A cancelled job leaves everything as it was before.
    @Suite struct CancellationTests {
        private static func make() async throws -> SnapshotFixture {
            let fixture = try await SnapshotFixture.shared()
            for name in ["a", "b"] {
                let fill = [UInt8](repeating: 1, count: 200_000)
                try await fixture.insert(
                    (0..<8).map {
                        document($0) { $0.append("fill", binary: fill, subtype: 0) }
                    }, name)
            }
            try await fixture.create("weather", CollectionOptions.timeseries())
            try await fixture.insert(
                [CollectionOptions.measurement(1, station: "s")], "weather")
            return fixture
        }

        @Test(arguments: [JobProgress.Phase.reading, .publishing])
        func aCancelledBackupLeavesNothing(_ phase: JobProgress.Phase) async throws {
            let fixture = try await Self.make()
            let error = await Canceller().run(at: { $0.phase == phase }) { observer in
                try await fixture.backup(observer: observer)
            }
            #expect(error is CancellationError, "\(String(describing: error))")
            #expect(try fixture.folder.contents == [])
            try await fixture.drop()
        }

        @Test func aBackupThatIsCancelledInItsMiddleLeavesNothing() async throws {
            let fixture = try await Self.make()
            let error = await Canceller().run(at: { $0.documentCount >= 10 }) { observer in
                try await fixture.backup(width: 1, observer: observer)
            }
            #expect(error is CancellationError)
            #expect(try fixture.folder.contents == [])
            try await fixture.drop()
        }

        @Test(arguments: [JobProgress.Phase.loading, .comparing, .publishing])
        func aCancelledReplaceLeavesTheLiveDataAsItWas(
            _ phase: JobProgress.Phase
        ) async throws {
            let fixture = try await Self.make()
            try await fixture.backup()
            for name in ["a", "b"] { try await fixture.insert([document(100)], name) }
            try await fixture.insert(
                [CollectionOptions.measurement(2, station: "t")], "weather")
            let before = try await fixture.state()
            let observer = RecordingObserver()
            let error = await Canceller().run(at: { $0.phase == phase }) { observer in
                try await fixture.restore(observer: observer)
            }
            #expect(error is CancellationError, "\(String(describing: error))")
            #expect(observer.notices == [])
            // The same collections too, so no staging ones.
            #expect(try await fixture.state() == before)
            try await fixture.restore()
            #expect(try await fixture.state() != before)
            try await fixture.drop()
        }

        /// Each document is either the old one or the archive's, and none is missing.
        @Test func aCancelledMergeLosesNoDocument() async throws {
            let fixture = try await SnapshotFixture.shared()
            let archived = (0..<3000).map { number in
                document(number) { $0.append("$old", "from the archive") }
            }
            let live = (0..<3000).map { document($0) }
            try await fixture.insert(archived, "c")
            try await fixture.backup()
            try await fixture.dropCollection("c")
            try await fixture.insert(live, "c")
            let task = Task { try await fixture.restore(nil, .merge) }
            while try await fixture.documents("c") == live { await Task.yield() }
            task.cancel()
            let result = await task.result
            #expect(throws: CancellationError.self) { try result.get() }
            let after = try await fixture.documents("c")
            #expect(after.count == 3000)
            #expect(Set(after).isSubset(of: archived + live))
            #expect(Set(after).intersection(live).count > 0)
            try await fixture.drop()
        }

        /// Two restores of one process into one database: neither takes the other's staging
        /// collection for its own.
        @Test func aRestoreThatIsCancelledLeavesAnotherOneAlone() async throws {
            let fixture = try await Self.make()
            let before = try await fixture.state()
            try await fixture.backup()
            try await Gate { $0.phase == .comparing }.run { observer in
                _ = try await fixture.restore(included: ["*.a"], observer: observer)
            } meanwhile: {
                let error = await Canceller().run(at: { $0.phase == .publishing }) { observer in
                    try await fixture.restore(included: ["*.b"], observer: observer)
                }
                #expect(error is CancellationError, "\(String(describing: error))")
                try await fixture.restore(included: ["*.b"])
            }
            #expect(try await fixture.state() == before)
            try await fixture.drop()
        }
    }
}
