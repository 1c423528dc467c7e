internal import Glibc

/// How much processor time a thread may take for answering while jobs are being done: a share of
/// the time that passes, saved up for a short while, so that a few requests are answered at once
/// and very many wait.
///
/// The nice value alone does not do: where a job leaves a processor idle now and then, or two of
/// them are one core's, whatever runs beside it slows it down.
struct AnsweringAllowance {
    /// What may be saved up, in nanoseconds.
    static let savedMax: Int64 = 20_000_000
    /// The shortest pause that is made, so that there are not too many.
    static let pauseMin: Int64 = 2_000_000
    /// The longest, so that a thread is never away for long.
    static let pauseMax: Int64 = 50_000_000

    private let share: Double
    private var last: (wall: Int64, processor: Int64)?
    private var saved = savedMax

    /// - Parameter share: of the time that passes, more than 0 and at most 1.
    init(share: Double) {
        self.share = share
    }

    /// Charges what was taken since the last call.
    ///
    /// - Parameters:
    ///   - wall: the time, in nanoseconds of any beginning.
    ///   - processor: what the thread has taken of a processor in all, in nanoseconds.
    /// - Returns: how long the thread has to pause now, in nanoseconds; 0 for not at all.
    mutating func pause(wall: Int64, processor: Int64) -> Int64 {
        defer { last = (wall, processor) }
        guard let last else { return 0 }
        let earned = Int64(Double(wall - last.wall) * share)
        // One long answer must not keep all others of the thread waiting for seconds.
        let owedMax = Int64(Double(2 * Self.pauseMax) * share)
        saved = min(saved + earned - (processor - last.processor), Self.savedMax)
        saved = max(saved, -owedMax)
        let due = Int64(Double(-saved) / share)
        return due < Self.pauseMin ? 0 : min(due, Self.pauseMax)
    }

    /// Begins anew: no job is being done, and everything may be taken.
    mutating func reset() {
        last = nil
        saved = Self.savedMax
    }
}

/// The allowance of one thread. Used on that thread only.
final class ThreadAllowance: @unchecked Sendable {
    private var allowance: AnsweringAllowance

    init(share: Double) {
        allowance = AnsweringAllowance(share: share)
    }

    /// Makes the calling thread, which is always the same, pause when it has taken too much.
    ///
    /// - Parameter isLimited: whether a job is being done.
    func keep(isLimited: Bool) {
        guard isLimited else { return allowance.reset() }
        let pause = allowance.pause(
            wall: Self.nanoseconds(CLOCK_MONOTONIC),
            processor: Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID))
        guard pause > 0 else { return }
        var time = timespec(tv_sec: 0, tv_nsec: Int(pause))
        nanosleep(&time, nil)
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
