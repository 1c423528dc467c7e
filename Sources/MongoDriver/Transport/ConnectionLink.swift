import Synchronization

/// What one connection's sockets have to know of whoever uses it.
final class ConnectionLink: Sendable {
    /// What a call is still given when its caller was cancelled, in seconds: time to end in good
    /// order where the server answers.
    private static let graceSeconds = 1.0

    /// A server that was found to be silent during a call.
    struct Loss: Sendable {
        let place: ServerPlace
        /// How long it had not answered.
        let seconds: Double
    }

    /// Opens its streams; the pool has it as long as there is anything to open.
    weak let dialer: Dialer?
    /// When the caller was cancelled; 0 when it was not.
    private let cancelledAt = Atomic<Int64>(0)
    /// How many pieces of work are being done that must not be cut short.
    private let protectionCount = Atomic<Int>(0)
    private let loss = Mutex<Loss?>(nil)

    init(_ dialer: Dialer) {
        self.dialer = dialer
    }

    /// Makes calls that wait for a server end soon.
    func cancel() {
        cancelledAt.store(MonotonicClock.now, ordering: .relaxed)
    }

    /// Begins what a cancellation does not cut short; `unprotect` ends it.
    func protect() {
        protectionCount.add(1, ordering: .relaxed)
    }

    func unprotect() {
        protectionCount.subtract(1, ordering: .relaxed)
    }

    /// Forgets what the last caller was about.
    func reset() {
        cancelledAt.store(0, ordering: .relaxed)
        loss.withLock { $0 = nil }
    }

    /// Whether the caller was cancelled, and nothing is being done that must not be cut short.
    var isCancelled: Bool {
        cancelledAt.load(ordering: .relaxed) != 0 && protectionCount.load(ordering: .relaxed) == 0
    }

    /// Whether a wait that began then has had its time, because the caller was cancelled.
    func mustEnd(waitingSince start: Int64) -> Bool {
        guard isCancelled else { return false }
        let moment = cancelledAt.load(ordering: .relaxed)
        return MonotonicClock.seconds(from: max(start, moment), to: MonotonicClock.now)
            >= Self.graceSeconds
    }

    /// Notes why a call will fail.
    func lose(_ place: ServerPlace, afterSeconds seconds: Double) {
        loss.withLock { $0 = Loss(place: place, seconds: seconds) }
    }

    /// Why the last call failed, if it was for a silent server.
    func takeLoss() -> Loss? {
        loss.withLock { loss in
            defer { loss = nil }
            return loss
        }
    }
}
