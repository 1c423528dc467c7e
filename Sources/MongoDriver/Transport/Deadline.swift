import Glibc

/// The monotonic clock, which stands still while the machine sleeps.
enum MonotonicClock {
    /// Nanoseconds since some moment; never 0.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) + 1
    }

    /// Seconds between two moments.
    static func seconds(from start: Int64, to end: Int64) -> Double {
        Double(end - start) / 1e9
    }
}

/// When something that blocks gives up.
struct Deadline: Sendable {
    /// By the monotonic clock, in nanoseconds.
    let moment: Int64

    /// - Parameter milliseconds: from now; at most 24 days, so that it fits whatever waits.
    init(milliseconds: Int) {
        let count = Int64(min(max(milliseconds, 0), Int(Int32.max)))
        moment = MonotonicClock.now + count * 1_000_000
    }

    /// Time left, rounded up; 0 when it is over.
    var remainingMilliseconds: Int32 {
        Int32(max(0, min(Int64(Int32.max), (moment - MonotonicClock.now + 999_999) / 1_000_000)))
    }

    /// Whether no time is left.
    var isOver: Bool { moment <= MonotonicClock.now }
}
