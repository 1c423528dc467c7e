import BSONBytes
import Glibc
import Snapshots
import Synchronization
import Testing

@Suite(.needsServer) struct ObserverTests {
    /// As its protocol says: an observer needs no lock for what it draws.
    @Test func reportsNeverOverlap() async throws {
        let fixture = try await SnapshotFixture.shared()
        for number in 0..<8 { try await fixture.insert([document(1)], "c\(number)") }
        let active = Mutex(0)
        let overlaps = Mutex(0)
        let observer = RecordingObserver { _ in
            let count = active.withLock { active in
                active += 1
                return active
            }
            if count > 1 { overlaps.withLock { $0 += 1 } }
            usleep(3000)
            active.withLock { $0 -= 1 }
        }
        try await fixture.backup(width: 4, observer: observer)
        try await fixture.restore(width: 4, observer: observer)
        try await fixture.restore(nil, .merge, width: 4, observer: observer)
        #expect(overlaps.withLock { $0 } == 0)
        try await fixture.drop()
    }
}
