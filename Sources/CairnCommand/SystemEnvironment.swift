internal import Glibc
internal import Snapshots

extension JobEnvironment {
    /// The system's clock and random numbers.
    static var system: JobEnvironment {
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
