internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Testing

@testable internal import HTTPService

/// What answers may take while jobs are being done.
@Suite struct AnswerPacingTests {
    private static let millisecond: Int64 = 1_000_000

    /// Clients that ask again at once, whatever a request takes: together they take the share, but
    /// for what was saved up.
    @Test(arguments: [0.05, 0.2, 0.5], [0.1, 2, 20])
    func whoWantsEverythingHasItsShare(_ capacity: Double, _ milliseconds: Double) {
        var pacing = AnswerPacing(capacity: capacity)
        let cost = Int64(milliseconds * Double(Self.millisecond))
        var now: Int64 = 0, processor: Int64 = 0
        var settled: (now: Int64, processor: Int64)?
        for number in 0..<20_000 {
            if pacing.mustMeasure(at: now) { pacing.measured(at: now, processor: processor) }
            now = max(now, pacing.admission(at: now))
            pacing.begun()
            processor += cost
            // Until what one takes is known.
            if number == 2000 { settled = (now, processor) }
        }
        let share =
            Double(processor - (settled?.processor ?? 0)) / Double(now - (settled?.now ?? 0))
        #expect(share > 0.8 * capacity && share < 1.2 * capacity, "\(share)")
    }

    @Test func whoTakesLessNeverWaits() {
        var pacing = AnswerPacing(capacity: 0.2)
        var processor: Int64 = 0
        for second in Int64(1)...1000 {
            let now = second * 100 * Self.millisecond
            if pacing.mustMeasure(at: now) { pacing.measured(at: now, processor: processor) }
            #expect(pacing.admission(at: now) <= now)
            pacing.begun()
            processor += 15 * Self.millisecond
        }
    }

    /// One long answer does not keep all others waiting for seconds.
    @Test func oneLongAnswerIsNotTakenForAll() {
        var pacing = AnswerPacing(capacity: 0.2)
        pacing.measured(at: 0, processor: 0)
        pacing.begun()
        pacing.measured(at: 10_000 * Self.millisecond, processor: 9_000 * Self.millisecond)
        let now = 10_000 * Self.millisecond
        _ = pacing.admission(at: now)
        #expect(pacing.admission(at: now) - now <= 250 * Self.millisecond)
    }

    /// Tasks run on these threads and stay there, and what they take is known.
    @Test func tasksStayOnTheThreads() async throws {
        let threads = RequestThreads(count: 2, niceness: 19)
        let before = threads.processorNanoseconds
        let onThreads = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask(executorPreference: threads) {
                    var count = 0
                    for _ in 0..<5 {
                        count += MultiThreadedEventLoopGroup.currentEventLoop == nil ? 0 : 1
                        await Task.yield()
                    }
                    return count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(onThreads == 250)
        #expect(threads.processorNanoseconds > before)
        try await threads.end()
        #expect(threads.processorNanoseconds == 0)
    }

    /// Whoever waits holds up no thread, and goes on when no job is done any more.
    @Test(.timeLimit(.minutes(2))) func whoWaitsHoldsUpNoThread() async throws {
        let hasJobs = Mutex(true)
        let gate = AnswerGate { hasJobs.withLock { $0 } }
        let threads = RequestThreads(count: 1, niceness: 0)
        gate.limit(to: 0.000_001, of: threads)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask(executorPreference: threads) { try await gate.pass() }
            }
            // A probe, on the one thread that there is.
            let probe = Task(executorPreference: threads) { true }
            #expect(await probe.value)
            hasJobs.withLock { $0 = false }
            try await group.waitForAll()
        }
        try await threads.end()
    }
}
