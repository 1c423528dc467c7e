public import ServiceState
public import Snapshots
internal import Synchronization

/// Takes jobs, does a few at a time in the order in which they came, and keeps records of them that
/// outlive the process.
public final class JobRunner: Sendable {
    /// How many jobs are done at once.
    public struct Widths: Sendable {
        /// Backups and restores.
        public var longJobCount = 2
        /// Jobs that only read, or delete.
        public var shortJobCount = 2

        public init() {}
    }

    /// Who asks for a job.
    public struct Submitter: Sendable {
        public var subject: String
        public var role: String
        /// Nil for the service itself.
        public var requestID: String?
        public var address: String?

        public init(subject: String, role: String, requestID: String? = nil, address: String? = nil)
        {
            self.subject = subject
            self.role = role
            self.requestID = requestID
            self.address = address
        }

        /// The service itself, such as its schedule.
        public static let service = Submitter(subject: "cairn", role: "service")
    }

    enum Interruption: Sendable {
        case asked
        case shutdown
    }

    struct State {
        var isShuttingDown = false
        /// When jobs were last forgotten.
        var prunedAt: Int64?
        /// Of jobs that are being done.
        var running: [String: AsyncStream<Interruption>.Continuation] = [:]
        /// What those of them tell that have begun.
        var progress: [String: (kind: String, log: JobProgressLog)] = [:]
        /// Jobs that were ended before their turn had come; they are not begun then.
        var canceled: Set<String> = []
        /// Jobs that did not end when they were told to and whose work goes on, by their names.
        var stuck: [String: (job: StuckJob, since: ContinuousClock.Instant)] = [:]
        /// Jobs whose work has ended.
        var ended: Set<String> = []
        /// Jobs whose end is being written down, or could not be yet.
        var ending: Set<String> = []
    }

    let state: StateStore
    let work: any JobWork
    let environment: JobEnvironment
    let log: any OperationsLog
    /// Tells who waits for a job.
    public let signals = JobSignals()
    /// What could not be written down yet.
    public let deferred: DeferredWrites
    private let widths: Widths
    /// How long a job may take to end once it is told to, in seconds; then it is given up.
    public let cancelSeconds: Double
    /// The same of a job that puts live data in place, which must not be cut off.
    public let commitSeconds: Double
    let live = Mutex(State())
    // Bounded by the records: a submission beyond `pendingCountMax` is refused.
    private let long = AsyncStream.makeStream(of: String.self)
    private let short = AsyncStream.makeStream(of: String.self)
    private let shutdown = AsyncStream.makeStream(of: Never.self)
    private let graceEnd = AsyncStream.makeStream(of: Never.self)

    /// How long a job may take to end once it is told to, unless said otherwise, in seconds.
    public static let cancelSecondsStandard = 20.0

    /// - Parameter cancelSeconds: how long a job may take to end once it is told to; then nobody
    ///   waits for it any more, and it has failed with the code `gave_up`. `commitSeconds` is for
    ///   a job that puts live data in place.
    public init(
        state: StateStore, work: any JobWork, widths: Widths, environment: JobEnvironment,
        log: any OperationsLog, cancelSeconds: Double = JobRunner.cancelSecondsStandard,
        commitSeconds: Double = JobProgress.commitSecondsMax
    ) {
        self.commitSeconds = commitSeconds
        deferred = DeferredWrites(log: log)
        self.cancelSeconds = cancelSeconds
        self.state = state
        self.work = work
        self.widths = widths
        self.environment = environment
        self.log = log
    }

    /// How many jobs that have ended are remembered, and for how long.
    static let finishedCountMax = 10_000
    static let finishedMilliseconds: Int64 = 90 * 86_400_000
    /// How often those beyond are forgotten.
    static let pruneInterval: Int64 = 3_600_000

    /// The most jobs that may wait.
    public static let pendingCountMax = 1000

    /// How many jobs are being done.
    public var runningCount: Int { live.withLock { $0.running.count } }

    /// Jobs that were told to end and are at work still: they hold their locks, their connections
    /// and their memory until they end or the process does.
    public var stuckJobs: [StuckJob] {
        live.withLock { $0.stuck.values.map { $0 } }.map { stuck in
            var job = stuck.job
            job.seconds = (ContinuousClock.now - stuck.since) / .seconds(1)
            return job
        }.sorted { $0.id < $1.id }
    }

    /// Whether a job puts live data in place that nobody has given up.
    public var isCommitting: Bool {
        let jobs = live.withLock { live in
            live.progress.filter { live.stuck[$0.key] == nil }.map(\.value.log)
        }
        return jobs.contains { $0.isCommitting }
    }

    /// Jobs that are being done, stuck ones among them.
    public var jobsAtWork: [StuckJob] {
        let running = live.withLock { $0.progress }.map { id, job in
            StuckJob(id: id, kind: job.kind, phase: job.log.phase, seconds: 0)
        }
        let stuck = stuckJobs
        let names = Set(stuck.map(\.id))
        return stuck + running.filter { !names.contains($0.id) }
    }

    // MARK: Asking for jobs

    /// Takes a job; it begins when its turn has come.
    ///
    /// - Parameters:
    ///   - claim: the idempotency key that it was asked for with, so that the same key never means
    ///     two jobs.
    ///   - resumed: the record of one that it resumes.
    /// - Throws: `JobFailure` with `too_many_jobs` or `shutting_down`; `StateError`.
    public func submit(
        _ request: JobRequest, by submitter: Submitter, claim: IdempotencyKey? = nil,
        resumes: String? = nil
    ) async throws -> JobRecord {
        guard !live.withLock(\.isShuttingDown) else {
            throw JobFailure("shutting_down", "the service is shutting down; try again later")
        }
        guard try await state.unfinishedJobCount() < Self.pendingCountMax else {
            throw JobFailure("too_many_jobs", "too many jobs are waiting; try again later")
        }
        let record = JobRecord(
            id: JobID(kind: request.kind, environment).description, kind: request.kind,
            createdBy: submitter.subject, createdAt: environment.now(),
            request: try request.text, snapshotID: newSnapshot(request) ?? request.snapshotID,
            resumes: resumes, isResumable: request.isResumable, requestID: submitter.requestID,
            address: submitter.address, role: submitter.role)
        try await state.insertJob(record, event: Self.event(record.status), claim: claim)
        lane(of: request).yield(record.id)
        return record
    }

    private func lane(of request: JobRequest?) -> AsyncStream<String>.Continuation {
        (request?.isShort == true ? short : long).continuation
    }

    private func lane(of record: JobRecord) -> AsyncStream<String>.Continuation {
        // One that can't be read fails in its turn, whichever that is.
        lane(of: try? JobRequest(text: record.request))
    }

    /// Goes on with a job that was cut off: another job, of the same request.
    ///
    /// Once for each job: what was replaced by resuming it would be replaced again.
    ///
    /// - Throws: `JobFailure` with `not_resumable`; `StateError`.
    public func resume(
        _ record: JobRecord, by submitter: Submitter, claim: IdempotencyKey? = nil
    ) async throws -> JobRecord {
        if let successor = record.resumedBy { throw Self.resumedAlready(successor) }
        guard live.withLock({ $0.stuck[record.id] == nil }) else {
            throw JobFailure(
                "not_resumable",
                "the job was given up and is at work still; restart the service first")
        }
        guard record.isResumable, [.failed, .canceled].contains(record.status) else {
            throw JobFailure(
                "not_resumable",
                record.isResumable
                    ? "the job has not failed, so there is nothing to resume"
                    : "a job of this kind can't be resumed; start another")
        }
        do {
            return try await submit(
                try JobRequest(text: record.request), by: submitter, claim: claim,
                resumes: record.id)
        } catch let error as StateError where error.code == .invalidTransition {
            // Somebody else was faster.
            throw Self.resumedAlready(try await state.job(record.id)?.resumedBy ?? "another job")
        }
    }

    private static func resumedAlready(_ successor: String) -> JobFailure {
        JobFailure("not_resumable", "\(successor) has already resumed the job")
    }

    /// Ends a job: at once when it is waiting, soon when it is being done.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: `JobFailure` with `not_found` or `already_finished`; `StateError`.
    public func cancel(_ id: String) async throws -> JobRecord {
        guard let record = try await state.job(id) else {
            throw JobFailure("not_found", "there is no job \(id)")
        }
        guard !record.status.isTerminal else { throw Self.finishedAlready(record) }
        guard !live.withLock({ $0.ending.contains(id) }) else {
            throw JobFailure(
                "already_finished", "the job has ended, and is about to be written down")
        }
        // Either the job has begun and is told, or it will find that it must not begin.
        let running = live.withLock { live in
            if live.running[id] == nil { live.canceled.insert(id) }
            return live.running[id]
        }
        if let running {
            running.yield(.asked)
            return record
        }
        do {
            return try await finish(
                id, .canceled, error: JobFailure("cancelled", "cancelled before it began"))
        } catch let error as StateError where error.code == .invalidTransition {
            // It had its end between the two looks.
            live.withLock { _ = $0.canceled.remove(id) }
            throw Self.finishedAlready(try await state.job(id) ?? record)
        } catch {
            // What can't be written down has not happened: the job begins in its turn, and where
            // that has come meanwhile and passed, it gets another.
            let hasPassed = live.withLock { $0.canceled.remove(id) == nil }
            if hasPassed { lane(of: record).yield(id) }
            throw error
        }
    }

    private static func finishedAlready(_ record: JobRecord) -> JobFailure {
        JobFailure("already_finished", "the job has finished: \(record.status.rawValue)")
    }

    /// The job once it has finished, or as it is when the time is over.
    ///
    /// - Throws: `StateError`, `CancellationError`.
    public func wait(for id: String, seconds: Int) async throws -> JobRecord? {
        let updates = signals.updates(of: id)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [state] in
                if try await state.job(id)?.status.isTerminal != false { return }
                for await update in updates where update.isLast { return }
            }
            group.addTask { try await Task.sleep(for: .seconds(seconds)) }
            defer { group.cancelAll() }
            try await group.next()
            return try await state.job(id)
        }
    }

    private func newSnapshot(_ request: JobRequest) -> String? {
        let kind: String
        switch request {
        case .backup(let request): kind = request.backupType ?? "manual"
        case .scheduledBackup(let request): kind = request.backup.backupType ?? "scheduled"
        default: return nil
        }
        return SnapshotID(
            milliseconds: environment.now(), kind: kind, random: environment.random()
        ).description
    }

    // MARK: Doing them

    /// Does jobs until `beginShutdown` is called and the last one has ended.
    ///
    /// - Parameter graceSeconds: what jobs that are being done are given then, before they are
    ///   cancelled. Those that do not end within `cancelSeconds` then are not waited for.
    public func run(graceSeconds: Double) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.interruptAll(afterSeconds: graceSeconds) }
            group.addTask { await self.deferred.run() }
            await withTaskGroup(of: Void.self) { lanes in
                lanes.addTask { await self.run(self.long.stream, self.widths.longJobCount) }
                lanes.addTask { await self.run(self.short.stream, self.widths.shortJobCount) }
            }
            group.cancelAll()
        }
    }

    /// Takes no more jobs; those that wait are ended. Returns at once.
    public func beginShutdown() {
        live.withLock { $0.isShuttingDown = true }
        long.continuation.finish()
        short.continuation.finish()
        shutdown.continuation.finish()
    }

    /// Cancels jobs at once that a shutdown waits for. Returns at once.
    public func endGrace() { graceEnd.continuation.finish() }

    private func interruptAll(afterSeconds seconds: Double) async {
        for await _ in shutdown.stream {}
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await Task.sleep(for: .seconds(seconds)) } catch {}
            }
            group.addTask { for await _ in self.graceEnd.stream {} }
            await group.next()
            group.cancelAll()
        }
        for running in live.withLock({ Array($0.running.values) }) { running.yield(.shutdown) }
    }

    private func run(_ jobs: AsyncStream<String>, _ width: Int) async {
        await withTaskGroup(of: Void.self) { group in
            var count = 0
            for await id in jobs {
                if count == width {
                    await group.next()
                    count -= 1
                }
                group.addTask { await self.perform(id) }
                count += 1
            }
        }
    }
}
