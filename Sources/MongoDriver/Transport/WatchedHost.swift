import Dispatch
import Synchronization

/// One server, and when it answered last: on any connection of a pool.
///
/// As long as it answers something every two seconds, nothing is done. Then, while a call waits, it
/// is sent a `hello` on a connection of its own: a server that works at a command for hours
/// answers that at once, and one that hangs does not. After two that were not answered, and eight
/// seconds at least, it is condemned: all connections to it that were opened before are of no use.
final class WatchedHost: Sendable {
    /// Limits, in seconds.
    enum Limits {
        /// How quiet a server may be before it is asked.
        static let quiet = 2.0
        /// What it is given to answer.
        static let answer = 4.0
        /// How long it must have been silent before it is given up.
        static let silence = 8.0
        /// How many unanswered questions that takes.
        static let unansweredCount = 2
        /// How old the connection for questions may be before it is made anew.
        static let connectionAge = 60.0
    }

    private struct State {
        var isAsking = false
        var isForgotten = false
        var unansweredCount = 0
        /// Since when whoever had it asked waits.
        var waitStart: Int64 = 0
        /// Whether it was said that it does not answer.
        var isNoted = false
        var connection: HelloConnection?
        var connectionUsedAt: Int64 = 0
        /// When it could not be asked; nil unless that was the last that was found.
        var pauseStart: Int64?

        func isPausing(at now: Int64) -> Bool {
            guard let pauseStart else { return false }
            return MonotonicClock.seconds(from: pauseStart, to: now) < Limits.quiet
        }
    }

    let place: ServerPlace
    private let notices: ServerNotices
    private let open: @Sendable (WatchedHost, Deadline) throws -> HelloConnection
    private let lastAnswer: Atomic<Int64>
    private let condemnations = Atomic<Int>(0)
    /// Tenths of a second that it had been silent when it was condemned.
    private let silenceTenths = Atomic<Int>(0)
    private let state = Mutex(State())
    private let queue: DispatchQueue

    /// - Parameter open: makes the connection that it is asked on.
    init(
        _ place: ServerPlace, _ notices: ServerNotices,
        open: @escaping @Sendable (WatchedHost, Deadline) throws -> HelloConnection
    ) {
        self.place = place
        self.notices = notices
        self.open = open
        lastAnswer = Atomic(MonotonicClock.now)
        queue = DispatchQueue(label: "cairn.server-watch")
    }

    /// How often it was given up.
    var condemnationCount: Int { condemnations.load(ordering: .relaxed) }

    /// Something came from it.
    func answered() {
        lastAnswer.store(MonotonicClock.now, ordering: .relaxed)
    }

    /// Called now and then by whoever waits for it; sees to it that it is asked.
    ///
    /// - Parameters:
    ///   - start: since when the caller has waited.
    ///   - count: what `condemnationCount` was when the caller's connection was made.
    /// - Returns: how long it was silent, in seconds, when it was given up since.
    func silence(waitingSince start: Int64, condemnedBefore count: Int) -> Double? {
        guard condemnationCount == count else {
            return Double(silenceTenths.load(ordering: .relaxed)) / 10
        }
        let now = MonotonicClock.now
        let last = lastAnswer.load(ordering: .relaxed)
        guard MonotonicClock.seconds(from: max(start, last), to: now) >= Limits.quiet else {
            return nil
        }
        let mustAsk = state.withLock { state in
            guard !state.isAsking, !state.isPausing(at: now) else { return false }
            state.isAsking = true
            if state.unansweredCount == 0 { state.waitStart = start }
            return true
        }
        if mustAsk { queue.async { self.ask() } }
        return nil
    }

    /// Ends its own connection, for good: that refers to it in turn.
    func forget() {
        let connection = state.withLock { state in
            defer { state.connection = nil }
            state.isForgotten = true
            return state.connection
        }
        _ = connection
    }

    // MARK: Asking

    /// Runs on the queue, one at a time.
    private func ask() {
        let deadline = Deadline(milliseconds: Int(Limits.answer * 1000))
        let kept = state.withLock { state -> HelloConnection? in
            defer { state.connection = nil }
            let age = MonotonicClock.seconds(from: state.connectionUsedAt, to: MonotonicClock.now)
            return age < Limits.connectionAge ? state.connection : nil
        }
        do {
            let connection = try kept ?? open(self, deadline)
            _ = try connection.ask(until: deadline)
            noteAnswer(on: connection)
        } catch {
            switch Finding(error) {
            case .alive: noteAnswer(on: nil)
            case .silent: noteSilence()
            case .unknown: noteNothing()
            }
        }
    }

    /// What a question without an answer tells of a server.
    enum Finding: Equatable {
        /// It did something else with the connection, such as to end it: too many of them, perhaps,
        /// or a certificate that has expired meanwhile.
        case alive
        /// Nothing came from it in time.
        case silent
        /// The question never came so far: its name can't be looked up now, or this process has no
        /// descriptor left.
        case unknown

        init(_ error: any Error) {
            self =
                switch error {
                case let error as HelloConnection.Failure: error.isSignOfLife ? .alive : .silent
                case let error as Dialer.HandshakeError: error.isSilence ? .silent : .alive
                case let error as DialError: error.isSilence ? .silent : .unknown
                default: .unknown
                }
        }
    }

    /// It is asked again in a while, and what was found before stands.
    private func noteNothing() {
        state.withLock { state in
            state.isAsking = false
            state.pauseStart = MonotonicClock.now
        }
    }

    private func noteAnswer(on connection: HelloConnection?) {
        answered()
        let wasNoted = state.withLock { state in
            defer { state.isNoted = false }
            state.isAsking = false
            state.unansweredCount = 0
            state.connection = state.isForgotten ? nil : connection
            state.connectionUsedAt = MonotonicClock.now
            return state.isNoted
        }
        if wasNoted { notices.send("the server \(place) answers again") }
    }

    private func noteSilence() {
        let last = lastAnswer.load(ordering: .relaxed)
        let now = MonotonicClock.now
        let (seconds, isNew, isCondemned) = state.withLock { state in
            let seconds = MonotonicClock.seconds(from: max(last, state.waitStart), to: now)
            // Another connection may have heard of it meanwhile.
            guard seconds >= Limits.quiet else {
                state.unansweredCount = 0
                state.isAsking = false
                return (seconds, false, false)
            }
            state.unansweredCount += 1
            let isCondemned =
                state.unansweredCount >= Limits.unansweredCount && seconds >= Limits.silence
            if isCondemned { state.unansweredCount = 0 }
            let isNew = !state.isNoted
            state.isNoted = true
            state.isAsking = false
            return (seconds, isNew, isCondemned)
        }
        if isNew {
            notices.send("the server \(place) has not answered for \(Int(seconds)) s")
        }
        if isCondemned {
            silenceTenths.store(Int(seconds * 10), ordering: .relaxed)
            condemnations.wrappingAdd(1, ordering: .relaxed)
        }
    }
}

/// Where a pool says that a server is silent.
final class ServerNotices: Sendable {
    private let handler = Mutex<(@Sendable (String) -> Void)?>(nil)

    /// - Parameter handler: called from any thread; nil for nobody.
    func set(_ handler: (@Sendable (String) -> Void)?) {
        self.handler.withLock { $0 = handler }
    }

    func send(_ message: String) {
        handler.withLock { $0 }?(message)
    }
}
