import BSONBytes
import Testing

@testable import Snapshots

extension InterruptedJobTests {
    /// Jobs whose lock is lost leave everything as it was before, as cancelled ones do.
    @Suite struct LostLockTests {
        private static let claim: LockClaim = {
            var claim = LockClaim(.restore)
            claim.uses = [SnapshotID(milliseconds: 0, kind: "manual", random: 1)]
            return claim
        }()

        private static func make() async throws -> SnapshotFixture {
            let fixture = try await SnapshotFixture.shared()
            for name in ["a", "b"] {
                let fill = [UInt8](repeating: 1, count: 200_000)
                try await fixture.insert(
                    (0..<8).map {
                        document($0) { $0.append("fill", binary: fill, subtype: 0) }
                    }, name)
            }
            return fixture
        }

        /// Runs a job under a lock; the machine sleeps at its first report that fits.
        private func run(
            _ fixture: SnapshotFixture,
            sleepingAt isPlace: @escaping @Sendable (JobProgress) -> Bool,
            _ job: @escaping @Sendable (RecordingObserver) async throws -> Void
        ) async -> SnapshotError? {
            let clocks = SetClocks()
            var locks = RepositoryLocks(fixture.store, environment: fixture.environment)
            locks.now = { clocks.now }
            locks.watchPause = .milliseconds(5)
            let observer = RecordingObserver { progress in
                if isPlace(progress) { clocks.advance(200) }
            }
            return await #expect(throws: SnapshotError.self) {
                try await locks.withLock(Self.claim, observer: observer) {
                    try await job(observer)
                }
            }
        }

        @Test(arguments: [JobProgress.Phase.reading, .publishing])
        func aBackupIsNotPublished(_ phase: JobProgress.Phase) async throws {
            let fixture = try await Self.make()
            let error = await run(fixture, sleepingAt: { $0.phase == phase }) { observer in
                try await fixture.backup(observer: observer)
            }
            #expect(error?.code == .lockLost, "\(String(describing: error))")
            #expect(try fixture.folder.contents == [])
            try await fixture.drop()
        }

        @Test(arguments: [JobProgress.Phase.loading, .comparing, .publishing])
        func aRestoreLeavesTheLiveDataAsItWas(_ phase: JobProgress.Phase) async throws {
            let fixture = try await Self.make()
            try await fixture.backup()
            for name in ["a", "b"] { try await fixture.insert([document(100)], name) }
            let before = try await fixture.state()
            let error = await run(fixture, sleepingAt: { $0.phase == phase }) { observer in
                try await fixture.restore(observer: observer)
            }
            #expect(error?.code == .lockLost, "\(String(describing: error))")
            // The same collections too, so no staging ones.
            #expect(try await fixture.state() == before)
            try await fixture.drop()
        }

        /// Once a collection is in place the loss is found before the next one.
        @Test func ofManyCollectionsNoneIsPutInPlaceAfterTheLoss() async throws {
            let fixture = try await Self.make()
            try await fixture.backup()
            for name in ["a", "b"] { try await fixture.insert([document(100)], name) }
            let last = "\(fixture.database).b"
            let error = await run(
                fixture, sleepingAt: { $0.phase == .publishing && $0.subject == last }
            ) { observer in
                try await fixture.restore(width: 1, observer: observer)
            }
            #expect(error?.code == .lockLost, "\(String(describing: error))")
            #expect(try await fixture.documents("b").count == 9)
            try await fixture.drop()
        }
    }
}
