internal import GRDB

/// Schedules, by their names.
extension StateStore {
    /// The schedule of a name, or nil.
    public func schedule(_ name: String) async throws -> ScheduleRecord? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM schedules WHERE name = ?",
                arguments: [try storable(name, as: "name")]
            ).map(ScheduleRecord.init)
        }
    }

    /// All schedules, by name.
    public func schedules() async throws -> [ScheduleRecord] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM schedules ORDER BY name")
                .map(ScheduleRecord.init)
        }
    }

    /// Makes a schedule, or changes the one of that name. What is known of the last run stays, for
    /// only `recordRun` knows better.
    ///
    /// - Returns: the schedule as it is now.
    /// - Throws: `StateError(.invalidValue)`.
    @discardableResult
    public func putSchedule(_ schedule: ScheduleRecord) async throws -> ScheduleRecord {
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO schedules (name, cron, time_zone, is_enabled, jitter_seconds,
                        request, retention, verifies, next_run_at, last_run_at, last_job_id,
                        updated_at, updated_by)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET cron = excluded.cron,
                        time_zone = excluded.time_zone, is_enabled = excluded.is_enabled,
                        jitter_seconds = excluded.jitter_seconds, request = excluded.request,
                        retention = excluded.retention, verifies = excluded.verifies,
                        next_run_at = excluded.next_run_at, updated_at = excluded.updated_at,
                        updated_by = excluded.updated_by
                    """,
                arguments: try schedule.arguments())
            return try ScheduleRecord.fetch(schedule.name, database)
        }
    }

    /// Removes a schedule.
    ///
    /// - Returns: whether there was one of that name.
    @discardableResult
    public func deleteSchedule(_ name: String) async throws -> Bool {
        try await write { database in
            try database.execute(
                sql: "DELETE FROM schedules WHERE name = ?",
                arguments: [try storable(name, as: "name")])
            return database.changesCount > 0
        }
    }

    /// Notes when a schedule runs next.
    ///
    /// - Throws: `StateError(.notFound)`.
    public func setNextRun(schedule name: String, at instant: Int64?) async throws {
        try await write { database in
            try database.execute(
                sql: "UPDATE schedules SET next_run_at = ? WHERE name = ?",
                arguments: [instant, try storable(name, as: "name")])
            _ = try ScheduleRecord.fetch(name, database)
        }
    }

    /// Notes that a schedule has run, and when it runs next.
    ///
    /// - Parameter jobID: the job that the run made; nil when it made none.
    /// - Throws: `StateError(.notFound)`.
    public func recordRun(
        schedule name: String, jobID: String?, at instant: Int64, nextRunAt: Int64?
    ) async throws {
        try await write { database in
            try database.execute(
                sql: """
                    UPDATE schedules SET last_run_at = ?, last_job_id = ?, next_run_at = ?
                    WHERE name = ?
                    """,
                arguments: [
                    instant, try storable(jobID, as: "jobID"), nextRunAt,
                    try storable(name, as: "name"),
                ])
            _ = try ScheduleRecord.fetch(name, database)
        }
    }
}

extension ScheduleRecord {
    /// The schedule that a row holds.
    fileprivate init(_ row: Row) throws {
        self.init(
            name: try row.decode(forColumn: "name"), cron: try row.decode(forColumn: "cron"),
            timeZone: try row.decode(forColumn: "time_zone"),
            isEnabled: try row.decode(forColumn: "is_enabled"),
            jitterSeconds: try row.decode(forColumn: "jitter_seconds"),
            request: try row.decode(forColumn: "request"),
            retention: try row.decode(forColumn: "retention"),
            verifies: try row.decode(forColumn: "verifies"),
            nextRunAt: try row.decode(forColumn: "next_run_at"),
            lastRunAt: try row.decode(forColumn: "last_run_at"),
            lastJobID: try row.decode(forColumn: "last_job_id"),
            updatedAt: try row.decode(forColumn: "updated_at"),
            updatedBy: try row.decode(forColumn: "updated_by"))
    }

    /// The schedule of a name.
    ///
    /// - Throws: `StateError(.notFound)`.
    fileprivate static func fetch(_ name: String, _ database: Database) throws -> ScheduleRecord {
        let row = try Row.fetchOne(
            database, sql: "SELECT * FROM schedules WHERE name = ?", arguments: [name])
        guard let row else { throw StateError(.notFound, "there is no schedule \"\(name)\"") }
        return try ScheduleRecord(row)
    }

    /// The values of all columns, in their order.
    fileprivate func arguments() throws -> StatementArguments {
        [
            try storable(name, as: "name"), try storable(cron, as: "cron"),
            try storable(timeZone, as: "timeZone"), isEnabled, jitterSeconds,
            try storable(request, as: "request"), try storable(retention, as: "retention"),
            verifies, nextRunAt, lastRunAt, try storable(lastJobID, as: "lastJobID"), updatedAt,
            try storable(updatedBy, as: "updatedBy"),
        ]
    }
}
