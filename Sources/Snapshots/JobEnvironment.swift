internal import Glibc

/// Time and randomness, which a job takes from outside so that a test can decide them.
public struct JobEnvironment: Sendable {
    /// Milliseconds since 1970 UTC.
    public var now: @Sendable () -> Int64
    public var random: @Sendable () -> UInt64

    public init(
        now: @escaping @Sendable () -> Int64, random: @escaping @Sendable () -> UInt64
    ) {
        self.now = now
        self.random = random
    }

    /// The system's clock and random numbers.
    public static var system: JobEnvironment {
        JobEnvironment(
            now: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
            },
            random: {
                var generator = SystemRandomNumberGenerator()
                return generator.next()
            })
    }
}
