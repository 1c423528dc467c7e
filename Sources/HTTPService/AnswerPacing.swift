internal import Synchronization

/// When requests may begin to be answered while jobs are done, so that all of them together take a
/// share of the processors: as far apart as one of them takes, divided by that share. What one
/// takes is measured, over all that were begun.
///
/// The nice value alone does not do: where a job leaves a processor idle now and then, or two of
/// them are one core's, whatever runs beside it slows it down.
struct AnswerPacing {
    /// What may be saved up, in nanoseconds of a processor: a few requests begin at once.
    static let savedMax = 20_000_000.0
    /// What one request is taken to take, in nanoseconds of a processor, whatever is measured.
    static let costs = 50_000.0...50_000_000.0
    /// How long what is measured is measured for, in nanoseconds.
    static let lookInterval: Int64 = 50_000_000

    private let capacity: Double
    private var cost = 500_000.0
    /// When the next request may begin, by the clock.
    private var next: Int64 = .min
    private var look: (at: Int64, processor: Int64)?
    private var begunCount = 0

    /// - Parameter capacity: how many processors the requests may take.
    init(capacity: Double) {
        self.capacity = max(capacity, 0.001)
    }

    /// A request is there.
    ///
    /// - Parameter now: the time, in nanoseconds of any beginning.
    /// - Returns: when it may begin; it does then.
    mutating func admission(at now: Int64) -> Int64 {
        let saved = Int64(Self.savedMax / capacity)
        let admission = max(next, now - saved)
        next = admission + Int64(cost / capacity)
        return admission
    }

    /// A request begins.
    mutating func begun() { begunCount += 1 }

    /// Whether `measured` is to be called.
    func mustMeasure(at now: Int64) -> Bool {
        look.map { now - $0.at >= Self.lookInterval } ?? true
    }

    /// Takes note of what was taken since the last call.
    ///
    /// - Parameter processor: what answering has taken of a processor in all, in nanoseconds.
    mutating func measured(at now: Int64, processor: Int64) {
        defer { look = (now, processor) }
        guard let look, begunCount > 0 else { return }
        let found = Double(processor - look.processor) / Double(begunCount)
        cost = min(max(0.7 * cost + 0.3 * found, Self.costs.lowerBound), Self.costs.upperBound)
        begunCount = 0
    }
}

/// Lets requests begin at the pace that `AnswerPacing` says, as long as jobs are done. Whoever
/// waits holds up no thread, so that probes are answered meanwhile, which don't ask here.
final class AnswerGate: Sendable {
    /// The longest that a request waits without a look whether jobs are still done.
    private static let sliceMax: Int64 = 500_000_000

    private struct State {
        var pacing: AnswerPacing?
        /// What the threads that answer have taken of a processor in all, in nanoseconds.
        var processor: (@Sendable () -> Int64)?
        var capacity = 0.0
    }

    private let state = Mutex(State())
    private let hasJobs: @Sendable () -> Bool

    /// - Parameter hasJobs: whether jobs are being done; asked very often.
    init(hasJobs: @escaping @Sendable () -> Bool) {
        self.hasJobs = hasJobs
    }

    /// From now on requests keep to a share; before, and where it is all, none waits.
    func limit(to share: Double, of threads: RequestThreads) {
        guard share < 1 else { return }
        state.withLock { state in
            state.capacity = share * Double(threads.count)
            state.processor = { threads.processorNanoseconds }
        }
    }

    /// Returns when a request may begin.
    ///
    /// - Throws: `CancellationError`.
    func pass() async throws {
        guard hasJobs() else { return state.withLock { $0.pacing = nil } }
        let admission = state.withLock { state -> Int64? in
            guard let processor = state.processor else { return nil }
            let now = Self.now
            var pacing = state.pacing ?? AnswerPacing(capacity: state.capacity)
            if pacing.mustMeasure(at: now) { pacing.measured(at: now, processor: processor()) }
            defer { state.pacing = pacing }
            return pacing.admission(at: now)
        }
        guard let admission else { return }
        while true {
            let rest = admission - Self.now
            guard rest > 0, hasJobs() else { break }
            try await Task.sleep(for: .nanoseconds(min(rest, Self.sliceMax)))
        }
        state.withLock { $0.pacing?.begun() }
    }

    private static let start = ContinuousClock.now

    /// Nanoseconds since the first call.
    private static var now: Int64 {
        Int64(start.duration(to: .now) / .nanoseconds(1))
    }
}
