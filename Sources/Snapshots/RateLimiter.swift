internal import MongoDriver
internal import Synchronization

/// Holds a job down to so many bytes and documents a second, on the average of a second or so. The
/// limit may be changed while the job runs; it takes effect within a quarter of a second.
///
/// Who takes goes into debt and pays before the next one takes: so a batch larger than a second's
/// share passes, and the average is kept.
public final class RateLimiter: Sendable {
    /// How much a second. What is nil is not limited.
    public struct Limit: Hashable, Sendable {
        /// Bytes of documents, uncompressed; at least 1.
        public var bytesPerSecond: Int?
        /// Documents; at least 1.
        public var documentsPerSecond: Int?

        /// - Throws: `usage` for a limit below 1.
        public init(
            bytesPerSecond: Int? = nil, documentsPerSecond: Int? = nil
        ) throws(SnapshotError) {
            guard (bytesPerSecond ?? 1) >= 1, (documentsPerSecond ?? 1) >= 1 else {
                throw SnapshotError(.usage, "a rate limit must be at least 1 a second")
            }
            self.bytesPerSecond = bytesPerSecond
            self.documentsPerSecond = documentsPerSecond
        }

        private init() {}

        /// As fast as can be.
        public static let none = Limit()

        /// Seconds that an amount is worth.
        fileprivate func seconds(bytes: Double, documents: Double) -> Double {
            max(
                bytesPerSecond.map { bytes / Double($0) } ?? 0,
                documentsPerSecond.map { documents / Double($0) } ?? 0)
        }
    }

    private struct State {
        var limit: Limit
        /// What was taken and is not paid for.
        var bytes = 0.0
        var documents = 0.0
        /// When the debt was last reckoned.
        var time: Duration

        /// Lets the time that has passed pay.
        mutating func settle(at now: Duration) {
            let seconds = (now - time).inSeconds
            time = now
            bytes = max(0, bytes - seconds * Double(limit.bytesPerSecond ?? .max))
            documents = max(0, documents - seconds * Double(limit.documentsPerSecond ?? .max))
        }

        /// Seconds until nothing is owed.
        var wait: Double { limit.seconds(bytes: bytes, documents: documents) }
    }

    /// The longest sleep: who sleeps must notice soon that the limit has changed.
    private static let sleepSecondsMax = 0.25

    private let state: Mutex<State>
    private let now: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameter clock: what time is taken from.
    public init(_ limit: Limit, clock: some Clock<Duration> = ContinuousClock()) {
        let start = clock.now
        now = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
        state = Mutex(State(limit: limit, time: .zero))
    }

    /// What is allowed now.
    public var limit: Limit {
        get { state.withLock { $0.limit } }
        set {
            state.withLock { state in
                state.settle(at: now())
                state.limit = newValue
            }
        }
    }

    /// Waits until earlier takers have paid, then takes.
    ///
    /// - Throws: `CancellationError`.
    public func take(bytes: Int, documents: Int) async throws {
        while true {
            let wait = state.withLock { state in
                state.settle(at: now())
                let wait = state.wait
                guard wait <= 0 else { return wait }
                state.bytes += Double(bytes)
                state.documents += Double(documents)
                return 0
            }
            guard wait > 0 else { return }
            try await sleep(.seconds(min(wait, Self.sleepSecondsMax)))
        }
    }

    /// Takes a reply's documents.
    func take(_ batch: RawBatch) async throws {
        let limit = limit
        guard limit != .none else { return }
        var documentCount = 0
        if limit.documentsPerSecond != nil {
            try batch.forEachDocument { _ in documentCount += 1 }
        }
        try await take(bytes: batch.byteCount, documents: documentCount)
    }
}
