internal import ObjectStorage
public import ServiceState
internal import SnapshotJSON
internal import Snapshots
internal import Synchronization

extension JobRunner {
    /// What came of the work on a job.
    enum WorkEnd: Sendable {
        case ended(Result<JobOutcome, any Error>, Interruption?)
        /// It was told to end and did not: it is at work still.
        case givenUp(Interruption)
    }

    private enum Step: Sendable {
        case ended(Result<JobOutcome, any Error>)
        case interrupted(Interruption)
        case overdue
    }

    /// How often progress is written down while a job is done.
    private static let reportInterval = Duration.milliseconds(500)

    /// Does one job; whatever becomes of it is in its record afterwards.
    func perform(_ id: String) async {
        // From here on who cancels it reaches the work, however early.
        let (interruptions, input) = AsyncStream.makeStream(
            of: Interruption.self, bufferingPolicy: .bufferingOldest(1))
        let mayBegin = live.withLock { live in
            guard live.canceled.remove(id) == nil, live.running[id] == nil else { return false }
            live.running[id] = input
            return true
        }
        guard mayBegin else { return }
        defer {
            live.withLock { live in
                live.running[id] = nil
                live.progress[id] = nil
                live.ended.remove(id)
            }
        }
        do {
            guard let record = try await state.job(id), !record.status.isTerminal else { return }
            guard !live.withLock(\.isShuttingDown) else {
                return await finishSurely(id, .canceled, error: Self.notBegun)
            }
            let assignment = try assignment(record)
            try await begin(record)
            let end = await result(assignment, interruptions)
            await finish(assignment, end)
        } catch {
            // What can't be written down is not begun.
            await finishSurely(id, .failed, error: JobFailure(error))
        }
    }

    private static let notBegun = JobFailure(
        "shutting_down", "the service was shut down before the job began")
    private static let cutOff = JobFailure(
        "shutting_down", "cancelled because the service was shut down; it can be resumed")
    private static let cancelled = JobFailure("cancelled", "cancelled on request")
    private static let tooLarge = JobFailure(
        "result_too_large",
        "the result has more than \(StateLimits.textByteCountMax) bytes; ask for fewer samples or "
            + "fewer collections")

    /// Writes down that the job begins, in its record and in the audit log.
    private func begin(_ record: JobRecord) async throws {
        let now = environment.now()
        let (job, event) = try await state.changeJob(
            record.id, JobUpdate(status: .inProgress), event: Self.event(.inProgress), at: now
        ) { Self.auditEvent($0, .allowed, at: now) }
        signals.notify(job.id, event)
    }

    private func finish(_ assignment: JobAssignment, _ end: WorkEnd) async {
        let id = assignment.id
        let removed = assignment.removals.ids
        switch end {
        case .ended(.success(let outcome), _)
        where outcome.isTooLarge && assignment.request.isItsResult:
            await finishSurely(id, .failed, error: Self.tooLarge, removed: removed)
        case .ended(.success(let outcome), _):
            await finishSurely(
                id, outcome.isPartial ? .partiallyFailed : .succeeded,
                outcome: outcome.keepable, removed: removed)
        case .ended(.failure(let error), .asked):
            await finishSurely(
                id, .canceled, error: Self.cancelled.adding(error), removed: removed)
        case .ended(.failure(let error), .shutdown):
            await finishSurely(id, .canceled, error: Self.cutOff.adding(error), removed: removed)
        case .ended(.failure(let error), nil):
            // Where the repository is only the log may tell.
            if error is ObjectStorageError || error is StateError {
                log.failed("job failed", job: id, error)
            }
            await finishSurely(id, .failed, error: JobFailure(error), removed: removed)
        case .givenUp:
            await finishSurely(id, .failed, error: gaveUp, removed: removed)
        }
    }

    private var gaveUp: JobFailure {
        JobFailure(
            "gave_up",
            "the job did not end within \(Int(cancelSeconds.rounded(.up))) seconds after it was "
                + "cancelled; what it does may still be completed, and ends with the service's "
                + "process")
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
        let event = JobEventDraft(
            type: Self.preRestoreEvent, data: try JSONText.encode(BackupNote(backupId: backup)))
        for event in try await state.appendEvents(jobID: job, [event], at: environment.now()) {
            signals.notify(job, event)
        }
    }

    // MARK: The work, watched

    /// Does the work, and writes down how it goes.
    ///
    /// The work is no child of this task, nor is the watching: work that ignores its cancellation
    /// could not be given up, for a task waits for its children.
    private func result(
        _ assignment: JobAssignment, _ interruptions: AsyncStream<Interruption>
    ) async -> WorkEnd {
        let progress = JobProgressLog(log, job: assignment.id)
        live.withLock { $0.progress[assignment.id] = (assignment.request.kind, progress) }
        let (steps, input) = AsyncStream.makeStream(of: Step.self)
        let doing = Task { [work] in
            let result: Result<JobOutcome, any Error>
            do {
                result = .success(
                    try await work.perform(assignment, progress) { backup in
                        try await self.note(backup, of: assignment.id)
                    })
            } catch {
                result = .failure(error)
            }
            input.yield(.ended(result))
            await self.hasEnded(assignment, result)
        }
        let watching = Task { () -> WorkEnd in
            let end = await self.watch(doing, steps, interruptions, input, progress)
            await self.write(progress, of: assignment.id)
            if case .givenUp = end { self.giveUp(assignment, progress) }
            return end
        }
        return await withTaskCancellationHandler {
            await watching.value
        } onCancel: {
            input.yield(.interrupted(.shutdown))
        }
    }

    private func watch(
        _ doing: Task<Void, Never>, _ steps: AsyncStream<Step>,
        _ interruptions: AsyncStream<Interruption>, _ input: AsyncStream<Step>.Continuation,
        _ progress: JobProgressLog
    ) async -> WorkEnd {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.report(progress) }
            group.addTask {
                for await interruption in interruptions { input.yield(.interrupted(interruption)) }
            }
            defer { group.cancelAll() }
            var interruption: Interruption?
            var commitEnd: ContinuousClock.Instant?
            for await step in steps {
                switch step {
                case .ended(let result): return .ended(result, interruption)
                case .interrupted(let reason):
                    guard interruption == nil else { continue }
                    interruption = reason
                    commitEnd = .now + .seconds(commitSeconds)
                    doing.cancel()
                    group.addTask { await self.callOverdue(input) }
                case .overdue:
                    guard let interruption, let commitEnd else { continue }
                    let mustWait = progress.isCommitting && .now < commitEnd
                    guard mustWait else { return .givenUp(interruption) }
                    group.addTask { await self.callOverdue(input) }
                }
            }
            return .ended(.failure(CancellationError()), interruption)
        }
    }

    private func callOverdue(_ input: AsyncStream<Step>.Continuation) async {
        do { try await Task.sleep(for: .seconds(cancelSeconds)) } catch { return }
        input.yield(.overdue)
    }

    /// Remembers a job that goes on although nobody waits for it.
    private func giveUp(_ assignment: JobAssignment, _ progress: JobProgressLog) {
        let job = StuckJob(
            id: assignment.id, kind: assignment.request.kind, phase: progress.phase, seconds: 0)
        let isStuck = live.withLock { live in
            // It may have ended just now.
            guard live.ended.remove(job.id) == nil else { return false }
            live.stuck[job.id] = (job, ContinuousClock.now)
            return true
        }
        if isStuck { log.gaveUp(job) }
    }

    /// The work has ended, perhaps after it was given up: then its record says otherwise, and the
    /// log and the audit log tell what came of it.
    private func hasEnded(
        _ assignment: JobAssignment, _ result: Result<JobOutcome, any Error>
    ) async {
        let wasStuck = live.withLock { live in
            if live.stuck.removeValue(forKey: assignment.id) != nil { return true }
            if live.running[assignment.id] != nil { live.ended.insert(assignment.id) }
            return false
        }
        guard wasStuck else { return }
        let (outcome, code): (String, String) =
            switch result {
            case .success(let outcome): (outcome.isPartial ? "partially_failed" : "succeeded", "")
            case .failure(let error): ("failed", JobFailure(error).code)
            }
        let (id, removed, now) = (assignment.id, assignment.removals.ids, environment.now())
        await deferred.perform("the late end of a job can't be written down", job: id) { [state] in
            guard let job = try await state.job(id) else { return }
            let failure = JobFailure(code.isEmpty ? "ended_late" : code, "")
            var event = Self.auditEvent(
                job, AuditOutcome(rawValue: outcome), failure, removed: removed, at: now)
            event.resource = id
            try await state.appendAudit(event)
        }
        log.noticed(
            "a job that was given up has ended late: \(outcome) \(code)", job: assignment.id)
    }

    private func report(_ progress: JobProgressLog) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.reportInterval)
            } catch {
                break
            }
            await write(progress, of: progress.job)
        }
    }

    /// What a job tells is worth little compared with the job: it goes on when it can't be written.
    private func write(_ progress: JobProgressLog, of id: String) async {
        let (latest, notices) = progress.take()
        guard latest != nil || !notices.isEmpty else { return }
        do {
            let now = environment.now()
            if let latest {
                let (_, event) = try await state.changeJob(
                    id, JobUpdate(progress: latest),
                    event: JobEventDraft(type: "progress", data: latest), at: now
                ) { _ in nil }
                signals.notify(id, event)
            }
            let drafts = try notices.map {
                JobEventDraft(type: "notice", data: try JSONText.encode(["message": $0]))
            }
            guard !drafts.isEmpty else { return }
            for event in try await state.appendEvents(jobID: id, drafts, at: now) {
                signals.notify(id, event)
            }
        } catch {
            log.failed("a job's progress can't be written", job: id, error)
        }
    }

    // MARK: The end

    /// Ends a job: its record, the event that tells of it and the audit log's entry, all or
    /// nothing.
    ///
    /// - Throws: `StateError`.
    @discardableResult
    func finish(
        _ id: String, _ status: JobStatus, outcome: JobOutcome? = nil,
        error: JobFailure? = nil, removed: [String] = []
    ) async throws -> JobRecord {
        let now = environment.now()
        let (finished, event) = try await state.changeJob(
            id,
            JobUpdate(
                status: status, result: outcome?.result, error: error?.text,
                snapshotID: outcome?.snapshot),
            event: Self.event(status, error), at: now
        ) { job in
            Self.auditEvent(
                job, AuditOutcome(rawValue: job.status.rawValue.lowercased()), error,
                removed: removed, at: now)
        }
        signals.notify(id, event, isLast: true)
        log.finished(finished)
        await pruneNowAndThen()
        return finished
    }

    /// The same now, or as soon as it can be written down.
    private func finishSurely(
        _ id: String, _ status: JobStatus, outcome: JobOutcome? = nil,
        error: JobFailure? = nil, removed: [String] = []
    ) async {
        live.withLock { _ = $0.ending.insert(id) }
        await deferred.perform("a job's end can't be written down", job: id) {
            try await self.finish(id, status, outcome: outcome, error: error, removed: removed)
            self.live.withLock { _ = $0.ending.remove(id) }
        }
    }

    /// Forgets old jobs, so that the records do not grow for ever. The audit log keeps all.
    private func pruneNowAndThen() async {
        let now = environment.now()
        let isDue = live.withLock { state in
            // Either way: a clock that was ahead must not put it off for years.
            guard state.prunedAt.map({ abs(now - $0) >= Self.pruneInterval }) ?? true else {
                return false
            }
            state.prunedAt = now
            return true
        }
        guard isDue else { return }
        do {
            try await state.pruneIdempotencyKeys(now: now)
            _ = try await state.pruneJobs(
                keepNewest: Self.finishedCountMax,
                finishedBefore: now - Self.finishedMilliseconds)
        } catch {
            log.failed("old jobs can't be forgotten", job: nil, error)
        }
    }

    private static func auditEvent(
        _ job: JobRecord, _ outcome: AuditOutcome, _ error: JobFailure? = nil,
        removed: [String] = [], at now: Int64
    ) -> AuditEvent {
        var details = AuditDetails()
        details.code = error?.code
        details.job = job.id
        details.request = job.request
        details.removed = removed
        return AuditEvent(
            at: now, subject: job.createdBy, role: job.role, address: job.address,
            requestID: job.requestID, action: "job.\(job.kind)",
            resource: job.snapshotID ?? job.id, outcome: outcome, details: details.text)
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

    /// Finds jobs that a process was doing when it died, and what it had begun and not told the
    /// outcome of. To be called once, before `run`.
    ///
    /// - Returns: those jobs, which have failed.
    /// - Throws: `StateError`.
    public func recover() async throws -> [JobRecord] {
        let now = environment.now()
        let jobs = try await state.failInterruptedJobs(
            reason: "the service's process died before the job had ended; begin it again, or "
                + "resume it where it is resumable",
            at: now
        ) { job in
            Self.auditEvent(job, .init(rawValue: "failed"), JobFailure("interrupted", ""), at: now)
        }
        for job in jobs { log.finished(job) }
        for entry in try await state.closeOpenAudits(at: now) {
            log.noticed(
                "the process before this one died before it had written down what came of "
                    + "\(entry.event.action) \(entry.event.resource ?? "")", job: nil)
        }
        return jobs
    }
}
