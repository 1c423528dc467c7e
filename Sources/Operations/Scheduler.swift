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
public final class Scheduler: Sendable {
    /// The schedule's name in the records.
    static let name = "default"
    /// How late a run may be noticed.
    private static let lookInterval = Duration.seconds(1)

    private let state: StateStore
    private let runner: JobRunner
    private let environment: JobEnvironment
    private let log: any OperationsLog
    private let changes = AsyncStream.makeStream(
        of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// When the next run is, as far as it is known here.
    private let nextRun = Mutex<Int64?>(nil)

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
        let record = ScheduleRecord(
            name: Self.name, cron: plan.cron, timeZone: request.timeZone ?? "UTC",
            isEnabled: isEnabled, jitterSeconds: request.jitterSeconds ?? 0,
            request: try JSONText.encode(backup),
            retention: try JSONText.encode(request.retention ?? CleanupRequest()),
            verifies: request.verify ?? false,
            nextRunAt: isEnabled ? next(plan, request.jitterSeconds ?? 0) : nil,
            updatedAt: environment.now(), updatedBy: subject)
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
            let isDue = nextRun.withLock { $0.map { $0 <= environment.now() } ?? false }
            if isDue { changes.continuation.yield() }
        }
    }

    /// Begins the backup whose time has come, if any.
    ///
    /// - Returns: its job.
    /// - Throws: `StateError`, `JobFailure`.
    @discardableResult
    public func beginWhatIsDue() async throws -> JobRecord? {
        guard let schedule = try await current(), schedule.isEnabled,
            let due = schedule.nextRunAt
        else {
            nextRun.withLock { $0 = nil }
            return nil
        }
        nextRun.withLock { $0 = due }
        guard due <= environment.now() else { return nil }
        let plan = try SchedulePlan(cron: schedule.cron, timeZone: schedule.timeZone)
        // Before it begins: a process that dies in between leaves out a run rather than doing one
        // again and again.
        let next = next(plan, schedule.jitterSeconds)
        nextRun.withLock { $0 = next }
        try await state.recordRun(
            schedule: Self.name, jobID: nil, at: environment.now(), nextRunAt: next)
        let request = ScheduledBackupRequest(
            backup: try JSONText.decode(BackupRequest.self, schedule.request),
            retention: try JSONText.decode(CleanupRequest.self, schedule.retention ?? "{}"),
            verifies: schedule.verifies)
        let job = try await runner.submit(.scheduledBackup(request), by: .service)
        try await state.recordRun(
            schedule: Self.name, jobID: job.id, at: environment.now(), nextRunAt: next)
        return job
    }

    private func next(_ plan: SchedulePlan, _ jitterSeconds: Int) -> Int64? {
        let jitter =
            jitterSeconds > 0
            ? Int64(environment.random() % UInt64(jitterSeconds * 1000 + 1)) : 0
        return plan.next(after: environment.now()).map { $0 + jitter }
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
