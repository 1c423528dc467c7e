internal import NIOCore
internal import NIOPosix
internal import Testing

@testable internal import HTTPService

/// What answers may take while jobs are being done.
@Suite struct AnsweringAllowanceTests {
    private static let millisecond: Int64 = 1_000_000

    /// A thread that answers whenever it may: what it takes is its share of the time, but for what
    /// it had saved up.
    @Test(arguments: [0.05, 0.2, 0.5, 1])
    func whoWantsEverythingHasItsShare(_ share: Double) {
        var allowance = AnsweringAllowance(share: share)
        var wall: Int64 = 0, processor: Int64 = 0
        var longest: Int64 = 0
        while wall < 100_000 * Self.millisecond {
            wall += Self.millisecond
            processor += Self.millisecond
            let pause = allowance.pause(wall: wall, processor: processor)
            longest = max(longest, pause)
            wall += pause
        }
        let expected = share * Double(wall)
        let allowed = expected + Double(AnsweringAllowance.savedMax + 3 * Self.millisecond)
        #expect(Double(processor) <= allowed && Double(processor) >= expected * 0.95)
        #expect(longest <= AnsweringAllowance.pauseMax)
    }

    @Test func whoTakesLessNeverPauses() {
        var allowance = AnsweringAllowance(share: 0.2)
        for second in Int64(1)...1000 {
            // A request of 15 ms now and then.
            let pause = allowance.pause(
                wall: second * 100 * Self.millisecond, processor: second * 15 * Self.millisecond)
            #expect(pause == 0)
        }
    }

    /// Others of the thread do not wait for all that one answer has taken.
    @Test func oneLongAnswerIsNotOwedForLong() async throws {
        var allowance = AnsweringAllowance(share: 0.1)
        var wall: Int64 = 0
        #expect(allowance.pause(wall: wall, processor: 0) == 0)
        wall += 1000 * Self.millisecond
        let processor = wall
        var paused: Int64 = 0
        for _ in 0..<100 {
            let pause = allowance.pause(wall: wall, processor: processor)
            wall += pause
            paused += pause
        }
        #expect(paused > 0 && paused <= 2 * AnsweringAllowance.pauseMax)
    }

    @Test func whatWasTakenWithoutJobsIsNotOwed() {
        var allowance = AnsweringAllowance(share: 0.2)
        #expect(allowance.pause(wall: 0, processor: 0) == 0)
        allowance.reset()
        #expect(
            allowance.pause(wall: 1000 * Self.millisecond, processor: 900 * Self.millisecond) == 0)
        #expect(
            allowance.pause(wall: 1010 * Self.millisecond, processor: 910 * Self.millisecond) == 0)
    }

    /// Tasks run on these threads, stay there, and go on while there are jobs.
    @Test func tasksStayOnTheThreads() async throws {
        let threads = RequestThreads(count: 2, niceness: 19, share: 0.01, hasJobs: { true })
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
        try await threads.end()
    }
}
