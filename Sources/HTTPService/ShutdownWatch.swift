internal import Dispatch
internal import Glibc
internal import Logging
internal import Operations
internal import Synchronization

/// Sees to it that a process that was told to end does, whatever hangs in it.
///
/// At the first SIGTERM or SIGINT jobs are given their grace, then they are cancelled, and then
/// they have the time that cancelled jobs have. A few seconds later the process ends, with whatever
/// is still at work in it; but a restore that puts live data in place is waited for as long as the
/// runner gives it. A second signal ends the grace, a third one the process.
final class ShutdownWatch: Sendable {
    /// How a process ends that has jobs in it which did not end.
    static let gaveUpStatus: Int32 = 13
    /// What is left for records and answers when all jobs have had their time.
    private static let marginSeconds = 5.0
    /// How often it is looked whether live data is still being put in place.
    private static let commitLookSeconds = 1.0

    private let runner: JobRunner
    private let graceSeconds: Double
    private let logger: Logger
    private let exit: @Sendable (Int32) -> Void
    private let queue = DispatchQueue(label: "cairn.shutdown")
    private let state = Mutex<(signalCount: Int, deadlineNumber: Int)>((0, 0))

    /// - Parameter exit: ends the process.
    init(
        _ runner: JobRunner, graceSeconds: Double, logger: Logger,
        exit: @escaping @Sendable (Int32) -> Void = { _exit($0) }
    ) {
        self.runner = runner
        self.graceSeconds = graceSeconds
        self.logger = logger
        self.exit = exit
    }

    /// Takes signals until `body` has ended.
    func whileWatching(_ body: () async throws -> Void) async throws {
        let sources = [SIGTERM, SIGINT].map { number in
            // Else the signal's default action ends the process before the source hears of it.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { self.hasSignal() }
            source.activate()
            return source
        }
        defer { for source in sources { source.cancel() } }
        try await body()
    }

    /// A signal has come.
    func hasSignal() {
        let count = state.withLock { state in
            state.signalCount += 1
            return state.signalCount
        }
        switch count {
        case 1:
            // Not when the answers have ended: one of them may be a download that lasts for hours.
            runner.beginShutdown()
            end(afterSeconds: graceSeconds + runner.cancelSeconds + Self.marginSeconds)
        case 2:
            logger.warning("second request to stop: jobs are cancelled now")
            runner.endGrace()
            end(afterSeconds: runner.cancelSeconds + Self.marginSeconds)
        default: endNow()
        }
    }

    /// The last call counts.
    private func end(afterSeconds seconds: Double) {
        let number = state.withLock { state in
            state.deadlineNumber += 1
            return state.deadlineNumber
        }
        endLater(number, afterSeconds: seconds, commitSeconds: runner.commitSeconds)
    }

    /// - Parameter commitSeconds: for how long it is put off while live data is put in place.
    private func endLater(_ number: Int, afterSeconds seconds: Double, commitSeconds: Double) {
        queue.asyncAfter(deadline: .now() + seconds) { [self] in
            guard state.withLock({ $0.deadlineNumber }) == number else { return }
            guard commitSeconds > 0, runner.isCommitting else { return endNow() }
            endLater(
                number, afterSeconds: Self.commitLookSeconds,
                commitSeconds: commitSeconds - Self.commitLookSeconds)
        }
    }

    private func endNow() {
        let jobs = runner.jobsAtWork
        for job in jobs {
            logger.critical(
                "a job has not ended and is given up with the process",
                metadata: [
                    "job_id": "\(job.id)", "kind": "\(job.kind)", "phase": "\(job.phase ?? "none")",
                ])
        }
        if jobs.isEmpty { logger.warning("answers that have not ended are cut off") }
        exit(jobs.isEmpty ? 0 : Self.gaveUpStatus)
    }
}
