internal import FoundationEssentials
internal import Synchronization

/// The keys of a JWKS that has to be fetched. One fetch at a time, and one in a while; who needs
/// its result waits for it, who has a key that is good enough does not.
final class KeySetCache: Sendable {
    /// How a JWKS is fetched. Called by one task at a time.
    typealias Fetch = @Sendable () async throws -> KeySetDocument

    private struct State {
        var keys: KeySet?
        /// When the keys were fetched.
        var checkedAt: Date?
        var freshSeconds: Double = 0
        /// When the last fetch began, whatever came of it.
        var attemptedAt: Date?
        var failure: String?
        var isFetching = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var waiterCount: UInt64 = 0
    }

    private enum Step {
        case use(VerificationKey)
        case refuse(AccessError)
        case fetch
        case wait
    }

    /// Requests that wait for one fetch at the same time.
    private static let waiterCountMax = 10_000

    private let algorithms: Set<SigningAlgorithm>
    private let timing: KeySetTiming
    private let fetch: Fetch
    private let state = Mutex(State())

    init(algorithms: Set<SigningAlgorithm>, timing: KeySetTiming, fetch: @escaping Fetch) {
        self.algorithms = algorithms
        self.timing = timing
        self.fetch = fetch
    }

    /// The key that a token's header means.
    ///
    /// - Throws: ``AccessError`` with the code `invalid`; `CancellationError` while it waits.
    func key(
        keyID: String?, algorithm: SigningAlgorithm, now: Date
    ) async throws -> VerificationKey {
        // It ends: a fetch, our own or the one waited for, marks its attempt, after which no other
        // may begin for a while, and the next round decides.
        while true {
            switch step(keyID: keyID, algorithm: algorithm, now: now) {
            case .use(let key): return key
            case .refuse(let error): throw error
            case .fetch: await refetch(now: now)
            case .wait: try await waitForFetch()
            }
        }
    }

    /// Fetches the keys unless they are there.
    ///
    /// - Throws: ``AccessError`` with the reason `keysUnavailable` when there are none after it.
    func prepare(now: Date) async throws {
        let isNeeded = state.withLock { state in
            guard state.keys == nil, !state.isFetching else { return false }
            state.isFetching = true
            state.attemptedAt = now
            return true
        }
        if isNeeded { await refetch(now: now) } else { try await waitForFetch() }
        let status = status
        guard status.keyCount > 0 else {
            throw AccessError(.keysUnavailable, detail: status.failure)
        }
    }

    /// For a readiness check.
    var status: KeySetStatus {
        state.withLock {
            KeySetStatus(
                keyCount: $0.keys?.count ?? 0,
                checkedAtSeconds: $0.checkedAt?.timeIntervalSince1970, failure: $0.failure)
        }
    }

    /// What to do next. With `fetch` the caller has to fetch: others wait for it.
    private func step(keyID: String?, algorithm: SigningAlgorithm, now: Date) -> Step {
        state.withLock { state in
            let match = state.keys?.match(keyID: keyID, algorithm: algorithm) ?? .unknown
            // Callers read the clock before they come here, so that a time may be a little before
            // another's. A clock that was set back makes everything old, not new for long.
            let age = state.checkedAt.map { now.timeIntervalSince($0) } ?? .infinity
            let earliest = -timing.refetchSeconds
            let isFresh = (earliest..<state.freshSeconds).contains(age)
            let isUsable = (earliest..<state.freshSeconds + timing.staleSeconds).contains(age)
            if isFresh, case .key(let key) = match { return .use(key) }
            if state.isFetching {
                if isUsable, case .key(let key) = match { return .use(key) }
                return .wait
            }
            let sinceAttempt = state.attemptedAt.map { now.timeIntervalSince($0) } ?? .infinity
            if abs(sinceAttempt) >= timing.refetchSeconds {
                state.isFetching = true
                state.attemptedAt = now
                return .fetch
            }
            guard isUsable else {
                return .refuse(AccessError(.keysUnavailable, detail: state.failure))
            }
            switch match {
            case .key(let key): return .use(key)
            case .unknown: return .refuse(AccessError(.unknownKey))
            case .ambiguous: return .refuse(AccessError(.ambiguousKey))
            }
        }
    }

    /// Fetches once, keeps what came of it, and wakes all who wait.
    private func refetch(now: Date) async {
        let result: Result<(KeySet, Double), any Error>
        do {
            let document = try await fetch()
            let keys = try await KeySet(jwks: document.bytes, algorithms: algorithms)
            let range = timing.freshSecondsRange
            let stated = document.maxAgeSeconds ?? timing.freshSeconds
            result = .success((keys, min(max(stated, range.lowerBound), range.upperBound)))
        } catch {
            result = .failure(error)
        }
        let waiters = state.withLock { state in
            switch result {
            case .success((let keys, let freshSeconds)):
                state.keys = keys
                state.checkedAt = now
                state.freshSeconds = freshSeconds
                state.failure = nil
            case .failure(let error):
                state.failure = (error as? AccessError)?.detail ?? "\(error)"
            }
            state.isFetching = false
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when no fetch is under way any more.
    ///
    /// - Throws: `CancellationError`; ``AccessError`` when too many wait.
    private func waitForFetch() async throws {
        let number = try state.withLock { state in
            guard state.waiters.count < Self.waiterCountMax else {
                throw AccessError(.keysUnavailable, detail: "too many wait for the JWKS")
            }
            state.waiterCount += 1
            return state.waiterCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.isFetching, !Task.isCancelled else { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
        try Task.checkCancellation()
    }
}
