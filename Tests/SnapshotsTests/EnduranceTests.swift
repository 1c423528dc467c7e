import MongoDriver
import Synchronization
import Testing

@testable import Snapshots

/// How often what fails is tried again.
@Suite struct EnduranceTests {
    private static let gone = MongoError(.network, "connection refused")

    private let endurance = Endurance(seconds: 0.5, observer: RecordingObserver())

    /// Fails as often as stated.
    ///
    /// - Returns: how often it was called.
    private func attempts(failing failureCount: Int) async throws -> Int {
        let count = Mutex(0)
        do {
            try await endurance.run { _ in
                let number = count.withLock {
                    $0 += 1; return $0
                }
                if number <= failureCount { throw Self.gone }
            }
        } catch let error as MongoError where error.code == .network {}
        return count.withLock(\.self)
    }

    /// Writers of a restore meet an outage one after the other.
    @Test func anOutageIsCountedOnceForAllThatMeetIt() async throws {
        #expect(try await attempts(failing: .max) > 1)
        #expect(endurance.isExhausted)
        // The last pause was not slept, so the time is not over yet.
        try await Task.sleep(for: .milliseconds(600))
        #expect(try await attempts(failing: .max) == 1)
        #expect(try await attempts(failing: .max) == 1)
    }

    @Test func anAnswerEndsAnOutage() async throws {
        #expect(try await attempts(failing: .max) > 1)
        #expect(try await attempts(failing: 0) == 1)
        #expect(try await attempts(failing: 1) == 2)
        #expect(try await attempts(failing: .max) > 1)
    }

    /// What fails for a reason of its own while others succeed is not endured for ever.
    @Test func whatNeverSucceedsEndsAlthoughOthersDo() async throws {
        async let failing = attempts(failing: .max)
        for _ in 0..<20 {
            _ = try await attempts(failing: 0)
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await failing > 1)
        #expect(endurance.isExhausted)
    }
}
