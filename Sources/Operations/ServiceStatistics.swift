internal import MongoDriver
public import ServiceState
public import SnapshotJSON
internal import Snapshots

/// A value that is read when a monitor asks.
public struct MonitoredValue: Sendable, Hashable {
    /// The name that Prometheus shows.
    public var name: String
    /// What it tells, in a line.
    public var help: String
    public var value: Double
    /// What tells it apart from others of the name.
    public var labels: [String: String]

    public init(_ name: String, _ help: String, _ value: Double, _ labels: [String: String] = [:]) {
        self.name = name
        self.help = help
        self.value = value
        self.labels = labels
    }
}

/// The repository, its jobs and its schedule, summed up for people and for monitors.
public struct ServiceStatistics: Sendable {
    /// Which jobs count: those of the last thirty days.
    private static let spanMilliseconds: Int64 = 30 * 86_400_000
    /// Kinds that make backups.
    private static let backupKinds: Set<String> = ["backup", "scheduled_backup"]

    private let state: StateStore
    private let snapshots: SnapshotLibrary
    private let scheduler: Scheduler
    private let runner: JobRunner
    private let now: @Sendable () -> Int64

    public init(
        state: StateStore, snapshots: SnapshotLibrary, scheduler: Scheduler, runner: JobRunner,
        now: @escaping @Sendable () -> Int64
    ) {
        self.state = state
        self.snapshots = snapshots
        self.scheduler = scheduler
        self.runner = runner
        self.now = now
    }

    /// What `GET /backup/statistics` tells.
    ///
    /// - Throws: `StateError`, `ObjectStorageError`.
    public func json() async throws -> JSONValue {
        let since = now() - Self.spanMilliseconds
        let jobs = try await state.jobStatistics(since: since, now: now())
        let schedule = try await scheduler.current()
        let succeeded = count(jobs) { $0 == .succeeded }
        let failed = count(jobs) { $0 == .failed || $0 == .partiallyFailed }
        let rate = succeeded + failed == 0 ? nil : Double(succeeded) / Double(succeeded + failed)
        return .object([
            "repository": try await snapshots.statistics(),
            "jobs": .object([
                "since": .date(since), "succeeded": .count(succeeded), "failed": .count(failed),
                "success_rate": rate.map { .decimal($0) } ?? .null,
            ]),
            "next_scheduled_run": schedule?.isEnabled == true
                ? schedule?.nextRunAt.map { .date($0) } ?? .null : .null,
        ])
    }

    private func count(_ jobs: JobStatistics, _ isMeant: (JobStatus) -> Bool) -> Int {
        jobs.counts.filter { Self.backupKinds.contains($0.kind) && isMeant($0.status) }
            .reduce(0) { $0 + $1.count }
    }

    // MARK: For monitors

    /// Values that come from one place: where they can't be read, those of others can.
    public struct Source: Sendable {
        /// A word for the place.
        public let name: String
        /// Reads them. May take long where a file system hangs.
        ///
        /// - Throws: `StateError`, `ObjectStorageError`.
        public let read: @Sendable () async throws -> [MonitoredValue]

        public init(
            name: String, read: @escaping @Sendable () async throws -> [MonitoredValue]
        ) {
            self.name = name
            self.read = read
        }
    }

    /// What a monitor is told beside what is counted as it happens.
    public var sources: [Source] {
        [
            Source(name: "process") { process + stateSpace + pools },
            Source(name: "jobs") { try await jobs() },
            Source(name: "schedule") { try await schedule() },
            Source(name: "repository") { try await snapshots.gauges() },
        ]
    }

    private var process: [MonitoredValue] {
        [
            MonitoredValue(
                "cairn_jobs_running", "Jobs that are being done.", Double(runner.runningCount)),
            MonitoredValue(
                "cairn_jobs_stuck", "Jobs that were given up and are at work still.",
                Double(runner.stuckJobs.count)),
            MonitoredValue(
                "cairn_records_waiting", "Ends and outcomes that can't be written down yet.",
                Double(runner.deferred.count)),
        ]
    }

    private var stateSpace: [MonitoredValue] {
        guard let count = state.freeByteCount else { return [] }
        return [
            MonitoredValue(
                "cairn_state_free_bytes", "Bytes that are free where the service's records are.",
                Double(count))
        ]
    }

    private var pools: [MonitoredValue] {
        let pools = snapshots.settings.pools.usage
        return [
            MonitoredValue(
                "cairn_pool_connections", "Connections to the database that were made.",
                Double(pools.connectionCount)),
            MonitoredValue(
                "cairn_pool_connections_idle", "Connections of the pool that are idle.",
                Double(pools.idleCount)),
            MonitoredValue(
                "cairn_pool_waiting", "Tasks that wait for one.", Double(pools.waitingCount)),
        ]
    }

    /// The label that tells schedules apart.
    public static let scheduleLabel = ["schedule": Scheduler.name]

    private func schedule() async throws -> [MonitoredValue] {
        guard let schedule = try await scheduler.current() else { return [] }
        func moment(_ name: String, _ help: String, _ at: Int64?) -> MonitoredValue? {
            at.map {
                MonitoredValue(
                    "cairn_schedule_\(name)_timestamp_seconds", help, Double($0) / 1000,
                    Self.scheduleLabel)
            }
        }
        let last = try await state.jobStatistics(since: now(), now: now())
            .lastSuccess["scheduled_backup"]
        return [
            MonitoredValue(
                "cairn_schedule_enabled", "Whether backups are made by themselves.",
                schedule.isEnabled ? 1 : 0, Self.scheduleLabel)
        ]
            + [
                moment(
                    "next_run", "When the next run is due.",
                    schedule.isEnabled ? schedule.nextRunAt : nil),
                moment("last_run", "When the last run began.", schedule.lastRunAt),
                moment(
                    "last_success", "When the last scheduled backup that succeeded ended.", last),
            ].compactMap { $0 }
    }

    /// How many wait, and for each kind of job what came of the last one.
    private func jobs() async throws -> [MonitoredValue] {
        let unfinished = try await state.unfinishedJobs()
        let waiting = MonitoredValue(
            "cairn_jobs_waiting", "Jobs that wait for their turn.",
            Double(unfinished.count { $0.status == .pending }))
        return try await [waiting]
            + state.jobStatistics(since: now(), now: now()).lastStatus
            .flatMap { kind, status in
                JobStatus.allCases.filter(\.isTerminal).map { each in
                    MonitoredValue(
                        "cairn_job_last_status", "What came of the last job of its kind: 1.",
                        each == status ? 1 : 0, Self.labels(ofKind: kind, status: each))
                }
            }
    }

    /// The labels of a kind of job; those of the schedule have its name too.
    public static func labels(ofKind kind: String, status: JobStatus? = nil) -> [String: String] {
        var labels = ["kind": kind]
        if kind == "scheduled_backup" { labels.merge(scheduleLabel) { $1 } }
        if let status { labels["status"] = status.rawValue }
        return labels
    }
}
