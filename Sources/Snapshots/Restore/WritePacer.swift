internal import MongoDriver
internal import Synchronization

/// Decides when a restore's next batch may be written: as its rate limit allows, and slower while
/// the server is short of cache or its secondaries lag behind. Applications would feel it first,
/// and a server that makes clients clean its cache gains nothing from more of them.
final class WritePacer: Sendable {
    private struct State {
        /// How long each writer waits before a batch, in seconds.
        var pauseSeconds = 0.0
        /// When the server is to be asked again, since the pacer was made.
        var nextSampleTime = Duration.zero
        var isOff = false
        var hasTold = false
    }

    /// How often the server is asked. Each answer doubles the pause or halves it.
    private static let sampleInterval = Duration.seconds(1)
    private static let pauseSecondsMin = 0.02
    private static let pauseSecondsMax = 1.0

    private let limiter: RateLimiter?
    private let observer: any JobObserver
    private let now: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())

    init(
        limiter: RateLimiter?, observer: any JobObserver,
        clock: some Clock<Duration> = ContinuousClock()
    ) {
        self.limiter = limiter
        self.observer = observer
        let start = clock.now
        now = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
    }

    /// Waits until a batch may be written.
    ///
    /// - Parameter sample: asks the server; called about once a second, by one writer at a time.
    /// - Throws: `CancellationError`, `lockLost`, and what `sample` throws unless the user may not
    ///   ask.
    func willWrite(
        bytes: Int, documents: Int, sample: () async throws -> ServerPressure
    ) async throws {
        try await limiter?.take(bytes: bytes, documents: documents)
        if isSampleDue() {
            do {
                heed(try await sample())
            } catch let error as MongoError where !error.isNetworkError {
                // Without the role clusterMonitor, or not a mongod: then as fast as it takes them.
                state.withLock { $0.isOff = true }
            }
        }
        let pauseSeconds = state.withLock { $0.pauseSeconds }
        if pauseSeconds > 0 { try await sleep(.seconds(pauseSeconds)) }
        try RepositoryLocks.checkHeld()
    }

    /// How long each writer waits now, in seconds.
    var pauseSeconds: Double { state.withLock { $0.pauseSeconds } }

    private func isSampleDue() -> Bool {
        state.withLock { state in
            let now = now()
            guard !state.isOff, now >= state.nextSampleTime else { return false }
            state.nextSampleTime = now + Self.sampleInterval
            return true
        }
    }

    private func heed(_ pressure: ServerPressure) {
        let isPressed = pressure.isShortOfCache || pressure.isLagging
        let mustTell = state.withLock { state in
            let pause = state.pauseSeconds
            state.pauseSeconds =
                isPressed
                ? min(max(2 * pause, Self.pauseSecondsMin), Self.pauseSecondsMax)
                : pause > Self.pauseSecondsMin ? pause / 2 : 0
            defer { state.hasTold = state.hasTold || isPressed }
            return isPressed && !state.hasTold
        }
        guard mustTell else { return }
        observer.noticed(
            pressure.isLagging
                ? "the server's secondaries lag behind; writing more slowly"
                : "the server is short of cache; writing more slowly while it is")
    }
}
