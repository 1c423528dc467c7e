import BSONBytes
import Snapshots
import Testing

@Suite struct RateLimiterTests {
    private let clock = ManualClock()

    @Test func theAverageIsKeptWhateverTheSizeOfWhatIsTaken() async throws {
        let limiter = RateLimiter(
            try RateLimiter.Limit(bytesPerSecond: 1000, documentsPerSecond: 10), clock: clock)
        for bytes in [500, 5000, 1, 2499] { try await limiter.take(bytes: bytes, documents: 1) }
        // Who takes last has not paid yet.
        #expect((5.4...5.6).contains(clock.seconds), "\(clock.seconds)")
        for _ in 0..<100 { try await limiter.take(bytes: 0, documents: 1) }
        #expect((17.5...18.5).contains(clock.seconds), "\(clock.seconds)")
    }

    @Test func aChangedLimitIsHeededByWhoWaits() async throws {
        let limiter = RateLimiter(try RateLimiter.Limit(bytesPerSecond: 1), clock: clock)
        try await limiter.take(bytes: 1_000_000, documents: 1)
        limiter.limit = try RateLimiter.Limit(bytesPerSecond: 1_000_000)
        try await limiter.take(bytes: 1, documents: 1)
        #expect((0.9...1.3).contains(clock.seconds), "\(clock.seconds)")
        limiter.limit = .none
        try await limiter.take(bytes: 1_000_000_000, documents: 1)
        try await limiter.take(bytes: 1, documents: 1)
        #expect(clock.seconds < 1.3)
    }

    @Test func aRateOfNothingIsRefused() {
        for (bytes, documents) in [(0, nil), (nil, 0), (-1, 5)] as [(Int?, Int?)] {
            let error = #expect(throws: SnapshotError.self) {
                try RateLimiter.Limit(bytesPerSecond: bytes, documentsPerSecond: documents)
            }
            #expect(error?.code == .usage)
        }
    }

    /// A job that is held down takes as long as its rate says, whatever the server could do.
    @Test(.needsServer) func aJobKeepsItsRate() async throws {
        let fixture = try await SnapshotFixture.shared()
        let padding = String(repeating: "x", count: 1000)
        try await fixture.insert(
            (0..<3000).map { document($0) { $0.append("padding", padding) } }, "c")
        let before = try await fixture.state()
        let limit = try RateLimiter.Limit(bytesPerSecond: 1_000_000)
        let (reading, writing) = (ManualClock(), ManualClock())
        try await fixture.backup {
            $0.rateLimiter = RateLimiter(limit, clock: reading)
        }
        // 3 MB in replies of at most 4 MiB: what was taken last is not paid for.
        #expect(reading.seconds > 0.2, "\(reading.seconds)")
        try await fixture.drop()
        try await fixture.restore {
            $0.rateLimiter = RateLimiter(limit, clock: writing)
            $0.batchDocumentCount = 100
        }
        #expect(writing.seconds > 2.5, "\(writing.seconds)")
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }
}
