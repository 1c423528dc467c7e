internal import MongoDriver
public import ServiceState
public import SnapshotJSON
internal import Snapshots

/// A value that is read when a monitor asks, by the name and the help that Prometheus shows.
public typealias MonitoredValue = (name: String, help: String, value: Double)

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
        let jobs = try await state.jobStatistics(since: since)
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

    /// What a monitor is told beside what is counted as it happens.
    ///
    /// - Throws: `StateError`, `ObjectStorageError`.
    public func gauges() async throws -> [MonitoredValue] {
        let unfinished = try await state.unfinishedJobs()
        let schedule = try await scheduler.current()
        var gauges: [MonitoredValue] = [
            (
                "cairn_jobs_waiting", "Jobs that wait for their turn.",
                Double(unfinished.count { $0.status == .pending })
            ),
            ("cairn_jobs_running", "Jobs that are being done.", Double(runner.runningCount)),
        ]
        let pools = snapshots.settings.pools.usage
        gauges += [
            (
                "cairn_pool_connections", "Connections to the database that were made.",
                Double(pools.connectionCount)
            ),
            (
                "cairn_pool_connections_idle", "Those of them that nobody uses.",
                Double(pools.idleCount)
            ),
            ("cairn_pool_waiting", "Tasks that wait for one.", Double(pools.waitingCount)),
        ]
        if let next = schedule?.nextRunAt, schedule?.isEnabled == true {
            gauges.append(
                (
                    "cairn_schedule_next_run_timestamp_seconds", "When the next run is due.",
                    Double(next) / 1000
                ))
        }
        return gauges + (try await snapshots.gauges())
    }
}
