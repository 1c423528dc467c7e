internal import Synchronization

/// A rate limiter: each key has a bucket of tokens that fills steadily; a request takes one.
///
/// Keys are bounded in number; see ``BucketTable`` for which one has to go. It may be used by any
/// number of tasks at once; a call takes constant time on the average and never waits for another
/// for longer than that. A service has one for requests, and another with a smaller policy for
/// failures to authenticate: it looks with ``isExhausted(_:now:)`` before it verifies, and takes
/// when that fails.
public final class TokenBuckets: Sendable {
    private struct State {
        var table: BucketTable
        /// The first time given: the buckets' times count from it.
        var origin: ContinuousClock.Instant?
        /// The last time given, in nanoseconds since then.
        var now: Int64 = 0
    }

    /// What each key may do.
    public let policy: RateLimitPolicy
    /// How long one token takes, in nanoseconds.
    private let tokenNanoseconds: Int64
    private let state: Mutex<State>

    /// A limiter whose buckets are all full.
    ///
    /// - Precondition: `keyCountMax` is positive.
    public init(_ policy: RateLimitPolicy, keyCountMax: Int = 100_000) {
        precondition(keyCountMax > 0, "room for one key at least")
        self.policy = policy
        tokenNanoseconds = max(
            Int64(Double(policy.windowSeconds) * 1e9 / Double(policy.capacity)), 1)
        state = Mutex(
            State(
                table: BucketTable(
                    countMax: keyCountMax,
                    windowNanoseconds: tokenNanoseconds * Int64(policy.capacity))))
    }

    /// How long it takes to fill an empty bucket, in nanoseconds.
    private var windowNanoseconds: Int64 { tokenNanoseconds * Int64(policy.capacity) }

    /// Takes a token if there is one. A refused request takes none, so that waiting as told helps.
    public func take(_ key: RateLimitKey, now: ContinuousClock.Instant) -> RateDecision {
        state.withLock { state in
            let time = Self.advance(&state, to: now)
            let fullAt = max(state.table.fullAt(key), time)
            let after = fullAt + tokenNanoseconds
            let isAllowed = after - time <= windowNanoseconds
            if isAllowed { state.table.set(key, fullAt: after, now: time) }
            let missing = (isAllowed ? after : fullAt) - time
            return RateDecision(
                isAllowed: isAllowed, limit: policy.capacity,
                remaining: Int((windowNanoseconds - missing) / tokenNanoseconds),
                resetSeconds: Self.seconds(missing),
                retryAfterSeconds: isAllowed
                    ? nil : Self.seconds(after - time - windowNanoseconds))
        }
    }

    /// Whether the next ``take(_:now:)`` would be refused; takes nothing.
    public func isExhausted(_ key: RateLimitKey, now: ContinuousClock.Instant) -> Bool {
        peek(key, now: now).isAllowed == false
    }

    /// What the next ``take(_:now:)`` would find, before it takes.
    public func peek(_ key: RateLimitKey, now: ContinuousClock.Instant) -> RateDecision {
        state.withLock { state in
            let time = Self.advance(&state, to: now)
            let missing = max(state.table.fullAt(key), time) - time
            let wait = missing + tokenNanoseconds - windowNanoseconds
            return RateDecision(
                isAllowed: wait <= 0, limit: policy.capacity,
                remaining: Int((windowNanoseconds - missing) / tokenNanoseconds),
                resetSeconds: Self.seconds(missing),
                retryAfterSeconds: wait <= 0 ? nil : Self.seconds(wait))
        }
    }

    /// Keys that have a bucket now.
    public var keyCount: Int { state.withLock { $0.table.count } }

    /// The time in nanoseconds since the first one given. Tasks read the clock before they come
    /// here, so that a time may be before the last one; then that one counts.
    private static func advance(_ state: inout State, to now: ContinuousClock.Instant) -> Int64 {
        let origin = state.origin ?? now
        state.origin = origin
        let elapsed = origin.duration(to: now).components
        let nanoseconds = elapsed.seconds * 1_000_000_000 + elapsed.attoseconds / 1_000_000_000
        state.now = max(nanoseconds, state.now)
        return state.now
    }

    private static func seconds(_ nanoseconds: Int64) -> Int {
        Int((nanoseconds + 999_999_999) / 1_000_000_000)
    }
}
