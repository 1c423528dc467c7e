internal import CronSchedule
internal import Foundation
public import ServiceState
public import Snapshots
internal import Synchronization

/// What a schedule shall be.
public struct ScheduleRequest: Codable, Sendable, Hashable {
    /// Minute, hour, day, month, day of the week; a schedule needs it.
    public var cron: String?
    /// Of the IANA database; nil for UTC.
    public var timeZone: String?
    /// Nil for yes.
    public var enabled: Bool?
    /// Each run begins up to so much later, at random; nil for not at all.
    public var jitterSeconds: Int?
    /// Whether each backup is verified; nil for no.
    public var verify: Bool?
    /// What is backed up; nil for everything.
    public var backup: BackupRequest?
    /// What is kept; nil for what the service was started with.
    public var retention: CleanupRequest?

    /// Checks what only the layers below can judge.
    ///
    /// - Throws: `RequestErrors` with all that can't be.
    public func validate() throws { _ = try SchedulePlan(self) }
}

/// Begins backups when their time has come. Runs that were missed while no process was there are
/// made up once; what begins is an ordinary job.
///
/// The records keep when the next run is, but clocks are set: one that was ahead for a while, as
/// after a boot without a battery, may have left a next run, and a last one, that are years away.
/// So at each start, each change and each step back of the clock the next run is worked out anew,
/// from the last run if that is not in the future, and what the records say counts only where it is
/// one that can follow.
public final class Scheduler: Sendable {
    /// The schedule's name in the records.
    static let name = "default"
    /// How late a run may be noticed.
    private static let lookInterval = Duration.seconds(1)
    /// By how much the clock may go back between two looks without having been set, in
    /// milliseconds.
    private static let stepMillisecondsMin: Int64 = 1000
    /// After how many milliseconds it is tried again when the schedule could not be kept.
    private static let retryMilliseconds: Int64 = 30_000

    private let state: StateStore
    private let runner: JobRunner
    private let environment: JobEnvironment
    private let log: any OperationsLog
    private let changes = AsyncStream.makeStream(
        of: Void.self, bufferingPolicy: .bufferingNewest(1))

    private struct Clock {
        /// When the schedule is looked at next; nil for not before it changes.
        var wakeAt: Int64?
        /// The latest time that was seen.
        var seenAt = Int64.min
    }

    private let clock = Mutex(Clock())

    public init(
        state: StateStore, runner: JobRunner, environment: JobEnvironment, log: any OperationsLog
    ) {
        self.state = state
        self.runner = runner
        self.environment = environment
        self.log = log
    }

    /// The schedule; nil when there is none.
    ///
    /// - Throws: `StateError`.
    public func current() async throws -> ScheduleRecord? { try await state.schedule(Self.name) }

    /// Sets the schedule.
    ///
    /// - Parameter subject: who does.
    /// - Throws: `RequestErrors` for what can't be; `StateError`.
    public func set(
        _ request: ScheduleRequest, by subject: String
    ) async throws -> ScheduleRecord {
        let plan = try SchedulePlan(request)
        let backup = request.backup ?? BackupRequest()
        let isEnabled = request.enabled ?? true
        let now = environment.now()
        let record = ScheduleRecord(
            name: Self.name, cron: plan.cron, timeZone: request.timeZone ?? "UTC",
            isEnabled: isEnabled, jitterSeconds: request.jitterSeconds ?? 0,
            request: try JSONText.encode(backup),
            retention: try JSONText.encode(request.retention ?? CleanupRequest()),
            verifies: request.verify ?? false,
            nextRunAt: isEnabled ? next(plan, request.jitterSeconds ?? 0, after: now) : nil,
            updatedAt: now, updatedBy: subject)
        let stored = try await state.putSchedule(record)
        changes.continuation.yield()
        return stored
    }

    /// Begins backups until the task is cancelled.
    public func run() async {
        changes.continuation.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wakeWhenDue() }
            for await _ in changes.stream {
                do {
                    try await beginWhatIsDue()
                } catch {
                    log.failed("the schedule can't be kept", job: nil, error)
                    let now = environment.now()
                    clock.withLock { $0.wakeAt = now + Self.retryMilliseconds }
                }
            }
            group.cancelAll()
        }
    }

    /// The clock is looked at rather than a sleep planned: clocks are set, and machines sleep.
    private func wakeWhenDue() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.lookInterval)
            } catch {
                return
            }
            if mustLook() { changes.continuation.yield() }
        }
    }

    /// Whether the time for a look has come, or the clock was set back since the last one.
    func mustLook() -> Bool {
        let now = environment.now()
        return clock.withLock { clock in
            let wasSetBack = now < clock.seenAt.subtracting(Self.stepMillisecondsMin)
            clock.seenAt = wasSetBack ? now : max(now, clock.seenAt)
            return wasSetBack || clock.wakeAt.map { $0 <= now } ?? false
        }
    }

    /// Begins the backup whose time has come, if any.
    ///
    /// - Returns: its job.
    /// - Throws: `StateError`, `JobFailure`.
    @discardableResult
    public func beginWhatIsDue() async throws -> JobRecord? {
        guard let schedule = try await current(), schedule.isEnabled else {
            clock.withLock { $0.wakeAt = nil }
            return nil
        }
        let plan = try SchedulePlan(cron: schedule.cron, timeZone: schedule.timeZone)
        // Once for all that follows: between two looks at the clock another run's time may come,
        // and be taken for one that was begun.
        let now = environment.now()
        let due = due(schedule, plan, now)
        if due != schedule.nextRunAt {
            try await state.setNextRun(schedule: Self.name, at: due)
        }
        clock.withLock { $0.wakeAt = due }
        guard let due, due <= now else { return nil }
        // Before it begins: a process that dies in between leaves out a run rather than doing one
        // again and again.
        let next = next(plan, schedule.jitterSeconds, after: now)
        try await state.recordRun(schedule: Self.name, jobID: nil, at: now, nextRunAt: next)
        let request = ScheduledBackupRequest(
            backup: try JSONText.decode(BackupRequest.self, schedule.request),
            retention: try JSONText.decode(CleanupRequest.self, schedule.retention ?? "{}"),
            verifies: schedule.verifies)
        clock.withLock { $0.wakeAt = next }
        let job = try await runner.submit(.scheduledBackup(request), by: .service)
        try await state.recordRun(schedule: Self.name, jobID: job.id, at: now, nextRunAt: next)
        return job
    }

    /// When the next run is: what the records say, if it is a run that can follow the last one by
    /// what the clock says now; else the first that follows.
    private func due(
        _ schedule: ScheduleRecord, _ plan: SchedulePlan, _ now: Int64
    ) -> Int64? {
        // Small steps back are believed, so that they don't make a run happen twice.
        let latestBelieved = now.adding(StateLimits.futureMillisecondsMax)
        let last = [schedule.lastRunAt, schedule.updatedAt].compactMap { $0 }
            .filter { $0 <= latestBelieved }.max()
        guard let first = plan.next(after: last ?? now) else { return nil }
        let latest = first.adding(Int64(max(0, min(schedule.jitterSeconds, 3600))) * 1000)
        // Where no record of a run is believed, one that was chosen since the clock was set right
        // stands, also when its time has come.
        let earliest = last == nil ? Int64.min : first
        if let known = schedule.nextRunAt, (earliest...latest).contains(known) { return known }
        return jittered(first, schedule.jitterSeconds)
    }

    private func next(
        _ plan: SchedulePlan, _ jitterSeconds: Int, after moment: Int64
    ) -> Int64? {
        plan.next(after: moment).map { jittered($0, jitterSeconds) }
    }

    private func jittered(_ moment: Int64, _ jitterSeconds: Int) -> Int64 {
        // No schedule has more; the record is a file's.
        let seconds = UInt64(clamping: min(jitterSeconds, 3600))
        return moment.adding(Int64(environment.random() % (seconds * 1000 + 1)))
    }
}

extension Int64 {
    /// The sum, or the largest number.
    fileprivate func adding(_ other: Int64) -> Int64 {
        let (sum, isOverflow) = addingReportingOverflow(other)
        return isOverflow ? .max : sum
    }

    /// The difference, or the smallest number.
    fileprivate func subtracting(_ other: Int64) -> Int64 {
        let (difference, isOverflow) = subtractingReportingOverflow(other)
        return isOverflow ? .min : difference
    }
}

/// When runs are.
struct SchedulePlan {
    /// As it was written.
    let cron: String
    private let expression: CronExpression
    private let timeZone: TimeZone

    /// - Throws: `RequestErrors` with all that can't be.
    init(_ request: ScheduleRequest) throws {
        var problems = RequestProblems()
        if let cron = request.cron {
            problems.value("cron") { _ = try CronExpression(parsing: cron) }
        } else {
            problems.note("cron", "is missing")
        }
        problems.value("time_zone") {
            _ = try CronExpression.timeZone(named: request.timeZone ?? "UTC")
        }
        problems.value("backup") { _ = try request.backup?.options(width: 1) }
        try problems.check()
        try self.init(cron: request.cron ?? "", timeZone: request.timeZone ?? "UTC")
    }

    /// - Throws: errors of the expression and the time zone.
    init(cron: String, timeZone: String) throws {
        self.cron = cron
        expression = try CronExpression(parsing: cron)
        self.timeZone = try CronExpression.timeZone(named: timeZone)
    }

    /// The first run after that moment, in milliseconds since 1970 UTC.
    func next(after moment: Int64) -> Int64? { expression.next(after: moment, in: timeZone) }
}
