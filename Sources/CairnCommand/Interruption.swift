internal import Dispatch
internal import Glibc
internal import Snapshots

/// What came of a body that signals may cancel.
enum Interruptible<Result: Sendable>: Sendable {
    case finished(Result)
    /// A signal cancelled it, and it has cleaned up; with the error that it has ended with.
    case cancelled(any Error)
}

/// How long a command may take to end once it is cancelled, in seconds. What it leaves behind then,
/// the next run removes, as after a kill. One that puts live data in place is given
/// `JobProgress.commitSecondsMax`.
let cancelSecondsMax = 20

/// What is told when signals come. Called from any thread, which it may block: nobody waits for it
/// for longer than a second.
struct SignalNotices: Sendable {
    /// Why a process ends that has not finished.
    enum Stop: Sendable {
        case secondSignal
        /// It has not ended in time.
        case overdue
    }

    /// The first signal: the body is cancelled.
    var cancelling: @Sendable () -> Void
    /// Whether live data is being put in place, which must not be cut off. Returns at once.
    var isCommitting: @Sendable () -> Bool
    /// The body's time would be over, but for that.
    var waiting: @Sendable () -> Void
    /// The process ends.
    var stopping: @Sendable (Stop) -> Void
}

/// Runs `body` in a child task and cancels it at the first SIGINT or SIGTERM. At the second one, or
/// when it has not ended in time, the process ends at once: a call of C that blocks can't be
/// cancelled. A body that finishes all the same has finished.
///
/// - Throws: what `body` throws without having been cancelled.
func withSignals<Result: Sendable>(
    _ notices: SignalNotices, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Interruptible<Result> {
    let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
    let sources = [SIGINT, SIGTERM].map { number in
        // Else the signal's default action ends the process before the source hears of it.
        signal(number, SIG_IGN)
        return DispatchSource.makeSignalSource(signal: number, queue: signalQueue)
    }
    let count = SignalCount()
    for source in sources {
        source.setEventHandler {
            guard count.isFirst() else { return stop(notices, .secondSignal) }
            let deadline = CancelDeadline(notices, secondsMax: cancelSecondsMax)
            watch(deadline, count)
            continuation.yield()
            noticeQueue.async { notices.cancelling() }
        }
        source.activate()
    }
    defer {
        for source in sources { source.cancel() }
        signalQueue.sync {
            count.hasEnded = true
            // What follows is only the report: a signal may end it, as it may any other program.
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
    }
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in signals { break }
            return nil
        }
        let first = try await group.next() ?? nil
        group.cancelAll()
        if let first { return .finished(first) }
        do {
            return (try await group.next() ?? nil).map { .finished($0) }
                ?? .cancelled(CancellationError())
        } catch {
            // Whatever it is, it came of the cancellation: a cursor that was closed, for one.
            return .cancelled(error)
        }
    }
}

/// Looks once a second whether the body has had its time. Runs on `signalQueue`.
private func watch(_ deadline: CancelDeadline, _ count: SignalCount) {
    signalQueue.asyncAfter(deadline: .now() + .seconds(1)) {
        guard !count.hasEnded else { return }
        guard !deadline.isOver(afterSeconds: 1) else { return stop(deadline.notices, .overdue) }
        watch(deadline, count)
    }
}

/// When a cancelled body has had its time: a short one, but for what must not be cut off.
///
/// Unchecked: used on one queue.
final class CancelDeadline: @unchecked Sendable {
    let notices: SignalNotices
    private let secondsMax: Int
    private var seconds = 0
    private var secondsSinceCommit = 0
    private var hasTold = false

    /// - Parameter secondsMax: how long it may take behind the last that must not be cut off.
    init(_ notices: SignalNotices, secondsMax: Int) {
        self.notices = notices
        self.secondsMax = secondsMax
    }

    /// So much time has passed since the last call, or since it was cancelled.
    func isOver(afterSeconds passed: Int) -> Bool {
        seconds += passed
        secondsSinceCommit = notices.isCommitting() ? 0 : secondsSinceCommit + passed
        guard Double(seconds) < JobProgress.commitSecondsMax else { return true }
        if seconds >= secondsMax, secondsSinceCommit == 0, !hasTold {
            hasTold = true
            let notices = notices
            noticeQueue.async { notices.waiting() }
        }
        return secondsSinceCommit >= secondsMax
    }
}

/// Ends the process, with a word about it if that can be written: standard error may be a pipe that
/// nobody reads.
private func stop(_ notices: SignalNotices, _ reason: SignalNotices.Stop) {
    DispatchQueue(label: "cairn.stopping").async {
        notices.stopping(reason)
        _exit(ProgramStatus.cancelled.rawValue)
    }
    signalQueue.asyncAfter(deadline: .now() + .seconds(1)) {
        _exit(ProgramStatus.cancelled.rawValue)
    }
}

/// Handlers run here, one at a time; nothing here waits for anything.
private let signalQueue = DispatchQueue(label: "cairn.signals")
/// What is told at the first signal, which may have to wait for standard error.
private let noticeQueue = DispatchQueue(label: "cairn.signals.notices")

/// How many signals came, and whether what they would cancel has ended. Unchecked: used on
/// `signalQueue` only.
private final class SignalCount: @unchecked Sendable {
    var hasEnded = false
    private var count = 0

    func isFirst() -> Bool {
        count += 1
        return count == 1
    }
}
