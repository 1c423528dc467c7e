internal import FoundationEssentials
internal import GRDB

/// Jobs: a record of each piece of long work, and checked steps from one status to the next.
extension StateStore {
    /// Writes a new job down, with its first event and the link from an idempotency key to it, all
    /// or nothing: after a kill, the key answers with the job that was made. A job that goes on
    /// with another is noted there too.
    ///
    /// - Parameter claim: a key that has been claimed and neither completed nor linked.
    /// - Throws: `StateError`: `.alreadyExists` for an id that is taken, `.invalidValue`,
    ///   `.notFound` when the key is not claimed or the job that it resumes is unknown, and
    ///   `.invalidTransition` when another has resumed that one.
    public func insertJob(
        _ job: JobRecord, event: JobEventDraft? = nil, claim: IdempotencyKey? = nil
    ) async throws {
        guard job.status.isTerminal == (job.finishedAt != nil) else {
            throw StateError(
                .invalidValue, "a job that is \(job.status.rawValue) has a wrong finishedAt")
        }
        try await write { database in
            guard try JobRecord.find(job.id, database) == nil else {
                throw StateError(.alreadyExists, "there is a job \"\(job.id)\" already")
            }
            if let resumes = job.resumes {
                try JobRecord.fetch(resumes, database).noteSuccessor(job.id, database)
            }
            let marks = String(repeating: "?, ", count: 17) + "?"
            try database.execute(
                sql: "INSERT INTO jobs (\(JobRecord.columns)) VALUES (\(marks))",
                arguments: try job.arguments())
            if let event { _ = try event.insert(job.id, at: job.createdAt, database) }
            if let claim { try claim.link(toJob: job.id, database) }
        }
    }

    /// Changes a job, and writes its event, all or nothing. `startedAt` and `finishedAt` are set
    /// with the status.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: `StateError`: `.notFound`; `.invalidTransition` when the job has ended, whatever
    ///   was to change, or may not go to the status; `.invalidValue`.
    @discardableResult
    public func updateJob(
        _ id: String, _ update: JobUpdate, event: JobEventDraft? = nil, at instant: Int64
    ) async throws -> JobRecord {
        try await changeJob(id, update, event: event, at: instant) { _ in nil }.job
    }

    /// The same with an entry of the audit log, all or nothing.
    ///
    /// - Parameter audit: gives the entry about the job as it is after the change; nil for none.
    /// - Returns: the job as it is now, and the event as it was written.
    public func changeJob(
        _ id: String, _ update: JobUpdate, event: JobEventDraft? = nil, at instant: Int64,
        audit: @escaping @Sendable (JobRecord) -> AuditEvent?
    ) async throws -> (job: JobRecord, event: WrittenJobEvent?) {
        try await write(auditing: { database in
            let job = try JobRecord.fetch(id, database).applying(update, at: instant)
            try job.save(database)
            let written = try event.map { try $0.insert(id, at: instant, database) }
            return ((job, written), audit(job).map { [$0] } ?? [])
        })
    }

    /// Ends every job that has not ended, because the process that worked on it is gone: it has
    /// failed, with the error `{"code":"interrupted","message":reason}`, and an event `status` says
    /// so. To be called once after opening, before jobs are begun.
    ///
    /// - Parameter audit: gives the entry of the audit log about each, as it is then.
    /// - Returns: those jobs as they are now, oldest first.
    public func failInterruptedJobs(
        reason: String, at instant: Int64,
        audit: @escaping @Sendable (JobRecord) -> AuditEvent? = { _ in nil }
    ) async throws -> [JobRecord] {
        let error = try Self.json(["code": "interrupted", "message": reason])
        let event = JobEventDraft(
            type: "status", data: "{\"status\":\"FAILED\",\"error\":\(error)}")
        return try await write(auditing: { database in
            let jobs = try Self.unfinished(database).map { job in
                let failed = try job.applying(JobUpdate(status: .failed, error: error), at: instant)
                try failed.save(database)
                _ = try event.insert(job.id, at: instant, database)
                return failed
            }
            return (jobs, jobs.compactMap(audit))
        })
    }

    /// Removes jobs that have ended, with their events: those beyond the newest `keepNewest`, and
    /// those that ended before an instant; nil removes none. A job stays while an unfinished one
    /// resumes it, and while an idempotency key answers with it.
    ///
    /// - Returns: how many were removed.
    public func pruneJobs(keepNewest: Int?, finishedBefore instant: Int64?) async throws -> Int {
        try await write { database in
            let ended = "finished_at IS NOT NULL AND status NOT IN ('PENDING', 'IN_PROGRESS')"
            try database.execute(
                sql: """
                    DELETE FROM jobs WHERE \(ended)
                    AND (finished_at < :instant
                        OR (:keepNewest >= 0 AND id IN (SELECT id FROM jobs WHERE \(ended)
                            ORDER BY created_at DESC, id DESC
                            LIMIT -1 OFFSET ifnull(:keepNewest, 0))))
                    AND id NOT IN (SELECT resumes FROM jobs WHERE resumes IS NOT NULL
                        AND status IN ('PENDING', 'IN_PROGRESS'))
                    AND id NOT IN
                        (SELECT job_id FROM idempotency_keys WHERE job_id IS NOT NULL)
                    """,
                arguments: ["instant": instant, "keepNewest": keepNewest.map { max($0, 0) }])
            return database.changesCount
        }
    }

    /// All jobs that have not ended, oldest first.
    static func unfinished(_ database: Database) throws -> [JobRecord] {
        try JobRecord.fetchAll(
            "WHERE status IN ('PENDING', 'IN_PROGRESS') ORDER BY created_at, id", [], database)
    }

    /// A JSON object of texts, its keys in order.
    private static func json(_ object: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }
}

extension JobRecord {
    /// The job after a change.
    ///
    /// - Throws: `StateError(.invalidTransition)`.
    fileprivate func applying(_ update: JobUpdate, at instant: Int64) throws -> JobRecord {
        guard !status.isTerminal else {
            throw StateError(
                .invalidTransition, "job \"\(id)\" has ended and is \(status.rawValue)")
        }
        var job = self
        if let next = update.status {
            guard status.mayBecome(next) else {
                throw StateError(
                    .invalidTransition,
                    "job \"\(id)\" cannot go from \(status.rawValue) to \(next.rawValue)")
            }
            job.status = next
            if next == .inProgress { job.startedAt = instant }
            if next.isTerminal { job.finishedAt = instant }
        }
        job.progress = update.progress ?? progress
        job.result = update.result ?? result
        job.error = update.error ?? error
        job.snapshotID = update.snapshotID ?? snapshotID
        job.isResumable = update.isResumable ?? isResumable
        return job
    }

    /// Writes down which job resumes this one.
    ///
    /// - Throws: `StateError(.invalidTransition)`.
    fileprivate func noteSuccessor(_ successor: String, _ database: Database) throws {
        if let resumedBy {
            throw StateError(
                .invalidTransition, "job \"\(resumedBy)\" has already resumed \"\(id)\"")
        }
        try database.execute(
            sql: "UPDATE jobs SET resumed_by = ? WHERE id = ?",
            arguments: [try storable(successor, as: "resumedBy"), id])
    }

    /// Writes what a change may have changed.
    fileprivate func save(_ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE jobs SET status = ?, started_at = ?, finished_at = ?, snapshot_id = ?,
                progress = ?, result = ?, error = ?, is_resumable = ? WHERE id = ?
                """,
            arguments: [
                status.rawValue, startedAt, finishedAt, try storable(snapshotID, as: "snapshotID"),
                try storable(progress, as: "progress"), try storable(result, as: "result"),
                try storable(error, as: "error"), isResumable, id,
            ])
    }
}
