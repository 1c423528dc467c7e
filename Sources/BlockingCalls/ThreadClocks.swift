internal import Glibc
internal import Synchronization

/// What some threads have taken of a processor.
public final class ThreadClocks: Sendable {
    private let clocks = Mutex<[clockid_t]>([])

    public init() {}

    /// Counts the calling thread from its beginning on.
    public func addCaller() {
        var clock = clockid_t()
        guard pthread_getcpuclockid(pthread_self(), &clock) == 0 else { return }
        clocks.withLock { $0.append(clock) }
    }

    /// Counts none any more; to be called before the threads end.
    public func forget() { clocks.withLock { $0 = [] } }

    /// The sum, in nanoseconds.
    public var nanoseconds: Int64 {
        clocks.withLock { $0 }.reduce(0) { $0 + ProcessorTime.nanoseconds($1) }
    }
}

/// What was taken of a processor.
public enum ProcessorTime {
    /// By this process, in nanoseconds.
    public static var ofProcess: Int64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    /// What a clock shows; 0 where it can't be read.
    static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
