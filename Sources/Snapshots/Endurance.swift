internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// Goes on when a server is restarted, elects another primary or can't be reached for a while:
/// repeats what failed, with pauses that grow, for a stated time.
final class Endurance: Sendable {
    private static let pauseMin = Duration.milliseconds(250)
    private static let pauseMax = Duration.seconds(10)
    /// What ran for so long and fails then, fails for a new reason.
    private static let freshAfter = Duration.seconds(60)

    /// After so long without a failure, another one is of another outage.
    private static let outageGap = Duration.seconds(30)

    /// When the server was last there, and when it was last found not to be.
    private struct Outage {
        var start: ContinuousClock.Instant
        var lastFailure: ContinuousClock.Instant
    }

    /// What all that runs at once has seen of it.
    private let outage = Mutex<Outage?>(nil)
    private let limit: Duration
    private let observer: any JobObserver
    private static let sleepMax = Duration.milliseconds(250)
    private let exhausted = Atomic<Bool>(false)
    private let stopped = Atomic<Bool>(false)

    /// - Parameter seconds: how long an outage is endured; 0 for not at all.
    init(seconds: Double, observer: any JobObserver) {
        limit = .seconds(seconds)
        self.observer = observer
    }

    /// Whether an outage has lasted longer than is endured.
    var isExhausted: Bool { exhausted.load(ordering: .relaxed) }

    /// Makes what fails from now on fail for good: nobody waits for the job any more.
    func stopWaiting() {
        stopped.store(true, ordering: .relaxed)
    }

    /// Calls `body` until it succeeds, fails for another reason or the time is over.
    ///
    /// - Parameter body: told whether it was called before, and then may have been done in part or
    ///   as a whole.
    /// - Throws: what `body` throws.
    func run<Result>(
        _ body: (_ isRepetition: Bool) async throws -> Result
    ) async throws -> Result {
        let clock = ContinuousClock()
        var outageStart: ContinuousClock.Instant?
        var pause = Self.pauseMin
        while true {
            let start = clock.now
            do {
                let result = try await body(outageStart != nil)
                outage.withLock { $0 = nil }
                return result
            } catch let error as MongoError where error.mayPass {
                let hasRun = start.duration(to: clock.now) > Self.freshAfter
                let isFresh = outageStart == nil || hasRun && error.code != .serverSelection
                if isFresh { pause = Self.pauseMin }
                // An outage has lasted since the server's last answer, not since that was noticed.
                let noticed = clock.now - .seconds(error.silentSeconds)
                let began = noteFailure(
                    outageStart: isFresh ? nil : outageStart, noticed,
                    isSame: outageStart == nil)
                let isOver = began.duration(to: clock.now) + pause > limit
                guard !isOver, !stopped.load(ordering: .relaxed) else {
                    exhausted.store(true, ordering: .relaxed)
                    throw error
                }
                if isFresh {
                    observer.noticed(
                        "the server does not answer; trying again: "
                            + "\(error.inUserNames)")
                }
                outageStart = began
                try await sleep(pause * Double.random(in: 0.75...1.25))
                pause = min(pause * 2, Self.pauseMax)
            }
        }
    }

    /// Whoever fails for the first time may have come to an outage that others had noticed before.
    ///
    /// - Parameters:
    ///   - outageStart: what the caller knows of it; nil at a failure for a new reason.
    ///   - noticed: since when the server has been silent, by this failure.
    ///   - isSame: whether it may be what others have noticed.
    /// - Returns: when the outage began.
    private func noteFailure(
        outageStart: ContinuousClock.Instant?, _ noticed: ContinuousClock.Instant, isSame: Bool
    ) -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        return outage.withLock { outage in
            let known = outage.flatMap { $0.lastFailure + Self.outageGap > now ? $0.start : nil }
            let start = outageStart ?? (isSame ? known : nil) ?? noticed
            outage = Outage(start: start, lastFailure: now)
            return start
        }
    }

    /// Ends early when nobody waits any more.
    private func sleep(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while !stopped.load(ordering: .relaxed) {
            let rest = ContinuousClock.now.duration(to: end)
            guard rest > .zero else { return }
            try await Task.sleep(for: min(rest, Self.sleepMax))
        }
    }
}

/// Whether a restore has had to do with the same start of the same primary all the time. If not,
/// what was acknowledged before may be lost, even though nothing has failed: drivers repeat much by
/// themselves.
final class Continuity: Sendable {
    private struct State {
        var incarnation: BSONDocument
        var isBroken = false
    }

    private let state: Mutex<State>

    init(_ incarnation: BSONDocument) {
        state = Mutex(State(incarnation: incarnation))
    }

    /// Whether it was found to be broken when last looked at.
    var isBroken: Bool { state.withLock(\.isBroken) }

    /// Compares with what answers now, which the next look is compared with.
    ///
    /// - Returns: whether it is broken since the last look.
    func look(_ incarnation: BSONDocument) -> Bool {
        state.withLock { state in
            state.isBroken = state.incarnation != incarnation
            state.incarnation = incarnation
            return state.isBroken
        }
    }
}

extension MongoError {
    /// Whether the same may succeed once the server is there again. A cursor does not outlive a
    /// server, nor the primary's time in office.
    var mayPass: Bool { isRetryable || code == .cursorNotFound }
}
