internal import ObjectStorage
public import ServiceState
internal import SnapshotJSON
internal import Snapshots
internal import Synchronization

extension JobRunner {
    private enum Step: Sendable {
        case ended(Result<JobOutcome, any Error>)
        case interrupted(Interruption)
        case reported
    }

    /// How often progress is written down while a job is done.
    private static let reportInterval = Duration.milliseconds(500)

    /// Does one job; whatever becomes of it is in its record afterwards.
    func perform(_ id: String) async {
        // From here on who cancels it reaches the work, however early.
        let (interruptions, input) = AsyncStream.makeStream(
            of: Interruption.self, bufferingPolicy: .bufferingOldest(1))
        let mayBegin = live.withLock { live in
            guard live.canceled.remove(id) == nil else { return false }
            live.running[id] = input
            return true
        }
        guard mayBegin else { return }
        defer { live.withLock { $0.running[id] = nil } }
        do {
            guard let record = try await state.job(id), !record.status.isTerminal else { return }
            guard !live.withLock(\.isShuttingDown) else {
                try await finish(record, .canceled, error: Self.notBegun)
                return
            }
            try await perform(record, interruptions)
        } catch {
            log.failed("a job's record can't be written", job: id, error)
        }
    }

    private static let notBegun = JobFailure(
        "shutting_down", "the service was shut down before the job began")
    private static let cutOff = JobFailure(
        "shutting_down", "cancelled because the service was shut down; it can be gone on with")
    private static let cancelled = JobFailure("cancelled", "cancelled on request")
    private static let tooLarge = JobFailure(
        "result_too_large",
        "the result has more than \(StateLimits.textByteCountMax) bytes; ask for fewer samples or "
            + "fewer collections")

    private func perform(
        _ record: JobRecord, _ interruptions: AsyncStream<Interruption>
    ) async throws {
        let assignment = try assignment(record)
        let record = try await state.updateJob(
            record.id, JobUpdate(status: .inProgress), event: Self.event(.inProgress),
            at: environment.now())
        signals.notify(record.id)
        let (result, interruption) = await result(assignment, interruptions)
        try await finish(record, assignment, result, interruption)
    }

    private func finish(
        _ record: JobRecord, _ assignment: JobAssignment, _ result: Result<JobOutcome, any Error>,
        _ interruption: Interruption?
    ) async throws {
        let removed = assignment.removals.ids
        switch (result, interruption) {
        case (.success(let outcome), _)
        where outcome.isTooLarge && assignment.request.isItsResult:
            try await finish(record, .failed, error: Self.tooLarge, removed: removed)
        case (.success(let outcome), _):
            try await finish(
                record, outcome.isPartial ? .partiallyFailed : .succeeded,
                outcome: outcome.keepable, removed: removed)
        case (.failure, .asked):
            try await finish(record, .canceled, error: Self.cancelled, removed: removed)
        case (.failure, .shutdown):
            try await finish(record, .canceled, error: Self.cutOff, removed: removed)
        case (.failure(let error), nil):
            // Where the repository is only the log may tell.
            if error is ObjectStorageError { log.failed("job failed", job: record.id, error) }
            try await finish(record, .failed, error: JobFailure(error), removed: removed)
        }
    }

    private func assignment(_ record: JobRecord) throws -> JobAssignment {
        let request = try JobRequest(text: record.request)
        return JobAssignment(
            id: record.id, request: request,
            newSnapshot: request.snapshotID == nil ? record.snapshotID : nil,
            isResumed: record.resumes != nil)
    }

    /// The event by which a job tells what it has backed up before it replaces it.
    private static let preRestoreEvent = "pre_restore_backup"

    private struct BackupNote: Codable {
        var backupId: String
    }

    private func note(_ backup: String, of job: String) async throws {
        try await state.appendEvent(
            jobID: job, type: Self.preRestoreEvent,
            data: try JSONText.encode(BackupNote(backupId: backup)), at: environment.now())
        signals.notify(job)
    }

    /// Does the work, and writes down how it goes; both end together.
    private func result(
        _ assignment: JobAssignment, _ interruptions: AsyncStream<Interruption>
    ) async -> (Result<JobOutcome, any Error>, Interruption?) {
        let progress = JobProgressLog(log, job: assignment.id)
        let found = await withTaskGroup(of: Step.self) { group in
            group.addTask { [work] in
                do {
                    return .ended(
                        .success(
                            try await work.perform(assignment, progress) { backup in
                                try await self.note(backup, of: assignment.id)
                            }))
                } catch {
                    return .ended(.failure(error))
                }
            }
            group.addTask {
                for await interruption in interruptions { return .interrupted(interruption) }
                return .reported
            }
            group.addTask { await self.report(progress, of: assignment.id) }
            var interruption: Interruption?
            var result: Result<JobOutcome, any Error>?
            for await step in group {
                switch step {
                case .ended(let ended):
                    result = ended
                    group.cancelAll()
                case .interrupted(let reason):
                    interruption = reason
                    group.cancelAll()
                case .reported: break
                }
            }
            return (result ?? .failure(CancellationError()), interruption)
        }
        await write(progress, of: assignment.id)
        return found
    }

    private func report(_ progress: JobProgressLog, of id: String) async -> Step {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.reportInterval)
            } catch {
                break
            }
            await write(progress, of: id)
        }
        return .reported
    }

    /// What a job tells is worth little compared with the job: it goes on when it can't be written.
    private func write(_ progress: JobProgressLog, of id: String) async {
        let (latest, notices) = progress.take()
        guard latest != nil || !notices.isEmpty else { return }
        do {
            let now = environment.now()
            if let latest {
                try await state.updateJob(
                    id, JobUpdate(progress: latest),
                    event: JobEventDraft(type: "progress", data: latest), at: now)
            }
            for notice in notices {
                try await state.appendEvent(
                    jobID: id, type: "notice",
                    data: try JSONText.encode(["message": notice]), at: now)
            }
            signals.notify(id)
        } catch {
            log.failed("a job's progress can't be written", job: id, error)
        }
    }

    /// Ends a job: its record, the event that tells of it and the audit log's entry.
    @discardableResult
    func finish(
        _ record: JobRecord, _ status: JobStatus, outcome: JobOutcome? = nil,
        error: JobFailure? = nil, removed: [String] = []
    ) async throws -> JobRecord {
        let finished = try await state.updateJob(
            record.id,
            JobUpdate(
                status: status, result: outcome?.result, error: error?.text,
                snapshotID: outcome?.snapshot),
            event: Self.event(status, error), at: environment.now())
        signals.notify(record.id)
        log.finished(finished)
        try await audit(finished, error, removed: removed)
        try await pruneNowAndThen()
        return finished
    }

    /// Forgets old jobs, so that the records do not grow for ever. The audit log keeps all.
    private func pruneNowAndThen() async throws {
        let now = environment.now()
        let isDue = live.withLock { state in
            guard now - state.prunedAt >= Self.pruneInterval else { return false }
            state.prunedAt = now
            return true
        }
        guard isDue else { return }
        try await state.pruneIdempotencyKeys(now: now)
        _ = try await state.pruneJobs(
            keepNewest: Self.finishedCountMax, finishedBefore: now - Self.finishedMilliseconds)
    }

    private func audit(
        _ job: JobRecord, _ error: JobFailure?, removed: [String] = []
    ) async throws {
        var details = AuditDetails()
        details.code = error?.code
        details.job = job.id
        details.request = job.request
        details.removed = removed
        try await state.appendAudit(
            AuditEvent(
                at: environment.now(), subject: job.createdBy, role: job.role, address: job.address,
                requestID: job.requestID, action: "job.\(job.kind)",
                resource: job.snapshotID ?? job.id,
                outcome: AuditOutcome(rawValue: job.status.rawValue.lowercased()),
                details: details.text))
    }

    /// The event that tells of a job's status.
    static func event(_ status: JobStatus, _ error: JobFailure? = nil) -> JobEventDraft {
        JobEventDraft(
            type: "status",
            data: JSONValue.object([
                "status": .string(status.rawValue),
                "error": error.map { .verbatim($0.text) } ?? .null,
            ]).text)
    }

    /// Finds jobs that a process was doing when it died. To be called once, before `run`.
    ///
    /// - Returns: those jobs, which have failed.
    /// - Throws: `StateError`.
    public func recover() async throws -> [JobRecord] {
        let jobs = try await state.failInterruptedJobs(
            reason: "the service's process died before the job had ended; begin it again, or go "
                + "on with it where it is resumable",
            at: environment.now())
        for job in jobs {
            log.finished(job)
            try await audit(job, JobFailure("interrupted", ""))
        }
        return jobs
    }
}
