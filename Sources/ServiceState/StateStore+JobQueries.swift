internal import GRDB

/// Looking at jobs and following their events.
extension StateStore {
    private static let listName = "jobs"

    /// The job of an id, or nil.
    public func job(_ id: String) async throws -> JobRecord? {
        try await read { try JobRecord.find(id, $0) }
    }

    /// How many jobs have not ended.
    public func unfinishedJobCount() async throws -> Int {
        try await read { database in
            try Int.fetchOne(
                database,
                sql: "SELECT COUNT(*) FROM jobs WHERE status IN ('PENDING', 'IN_PROGRESS')") ?? 0
        }
    }

    /// All jobs that have not ended, oldest first.
    public func unfinishedJobs() async throws -> [JobRecord] {
        try await read(Self.unfinished)
    }

    /// Jobs that match a filter, newest first. Going from page to page shows each job once, also
    /// when jobs are made meanwhile.
    ///
    /// - Parameters:
    ///   - cursor: the `nextCursor` of the page before; nil for the first page.
    ///   - limit: from 1 to `StateLimits.pageCountMax`; beyond it, the nearest of them.
    /// - Throws: `StateError(.invalidCursor)`.
    public func jobs(
        _ filter: JobFilter = JobFilter(), after cursor: String? = nil, limit: Int = 50
    ) async throws -> JobPage {
        let count = StateLimits.pageCount(limit)
        let start = try cursor.map { try PageCursor(parsing: $0, of: Self.listName) }
        var all = QueryConditions()
        try all.require("status", equals: filter.status?.rawValue)
        try all.require("kind", equals: filter.kind)
        try all.require("snapshot_id", equals: filter.snapshotID)
        try all.require("created_by", equals: filter.createdBy)
        all.require("created_at", from: filter.since, before: filter.until)
        var page = all
        if let start { page.add("(created_at, id) < (?, ?)", [start.number, start.name]) }
        return try await read { [all, page] database in
            let total = try Int.fetchOne(
                database, sql: "SELECT COUNT(*) FROM jobs \(all.sql)", arguments: all.arguments)
            let jobs = try JobRecord.fetchAll(
                "\(page.sql) ORDER BY created_at DESC, id DESC LIMIT \(count + 1)",
                page.arguments, database)
            let shown = Array(jobs.prefix(count))
            let last = jobs.count > count ? shown.last : nil
            return JobPage(
                jobs: shown,
                nextCursor: last.map {
                    PageCursor(number: $0.createdAt, name: $0.id).text(of: Self.listName)
                },
                totalCount: total ?? 0)
        }
    }

    /// Writes an event of a job down; the oldest of more than `StateLimits.jobEventCountMax` go.
    ///
    /// - Returns: the event's id.
    /// - Throws: `StateError`: `.notFound` when there is no such job, `.invalidValue`.
    @discardableResult
    public func appendEvent(
        jobID: String, type: String, data: String, at instant: Int64
    ) async throws -> Int64 {
        try await write { database in
            _ = try JobRecord.fetch(jobID, database)
            return try JobEventDraft(type: type, data: data)
                .insert(jobID, at: instant, database).event.id
        }
    }

    /// The same of several events, all or nothing.
    ///
    /// - Returns: the events as they were written.
    /// - Throws: `StateError`: `.notFound` when there is no such job, `.invalidValue`.
    public func appendEvents(
        jobID: String, _ drafts: [JobEventDraft], at instant: Int64
    ) async throws -> [WrittenJobEvent] {
        try await write { database in
            _ = try JobRecord.fetch(jobID, database)
            return try drafts.map { try $0.insert(jobID, at: instant, database) }
        }
    }

    /// Events of a job in order, from the first one behind an id on.
    ///
    /// - Parameter limit: from 1 to `StateLimits.pageCountMax`; beyond it, the nearest of them.
    public func events(
        jobID: String, after id: Int64 = 0, limit: Int = 100
    ) async throws -> [JobEvent] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, job_id, type, data, at FROM job_events
                    WHERE job_id = ? AND id > ? ORDER BY id LIMIT ?
                    """,
                arguments: [try storable(jobID, as: "jobID"), id, StateLimits.pageCount(limit)]
            ).map { row in
                JobEvent(
                    id: try row.decode(forColumn: "id"), jobID: try row.decode(forColumn: "job_id"),
                    type: try row.decode(forColumn: "type"),
                    data: try row.decode(forColumn: "data"), at: try row.decode(forColumn: "at"))
            }
        }
    }
}

extension JobEventDraft {
    /// Writes the event of a job that is there.
    ///
    /// - Returns: the event, and which was before it.
    func insert(
        _ jobID: String, at instant: Int64, _ database: Database
    ) throws -> WrittenJobEvent {
        let previous = try Int64.fetchOne(
            database, sql: "SELECT MAX(id) FROM job_events WHERE job_id = ?", arguments: [jobID])
        try database.execute(
            sql: "INSERT INTO job_events (job_id, type, data, at) VALUES (?, ?, ?, ?)",
            arguments: [
                jobID, try storable(type, as: "type"), try storable(data, as: "data"), instant,
            ])
        let id = database.lastInsertedRowID
        try database.execute(
            sql: """
                DELETE FROM job_events WHERE job_id = ?1 AND id <= (SELECT id FROM job_events
                WHERE job_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET \(StateLimits.jobEventCountMax))
                """,
            arguments: [jobID])
        return WrittenJobEvent(
            event: JobEvent(id: id, jobID: jobID, type: type, data: data, at: instant),
            previousID: previous ?? 0)
    }
}
