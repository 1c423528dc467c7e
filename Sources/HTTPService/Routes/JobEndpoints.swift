internal import AccessControl
internal import HTTPTypes
internal import Operations
internal import ServiceState
internal import SnapshotJSON

/// Long work: read, followed, ended and resumed.
struct JobEndpoints: Sendable {
    static let path = BasePath.text + "/jobs"
    static let group = "Jobs"

    let environment: ServiceEnvironment
    var jobs: JobReplies { JobReplies(environment: environment) }

    var all: [Endpoint] { [list, details, events, cancel, resume] }

    private var list: Endpoint {
        Endpoint(
            method: .get, path: Self.path, id: "listJobs", group: Self.group,
            summary: "List jobs, newest first.", access: .permitted(.backupsRead),
            parameters: [
                .query(
                    "status",
                    .word(
                        "PENDING", "IN_PROGRESS", "SUCCEEDED", "PARTIALLY_FAILED", "FAILED",
                        "CANCELED"), "Only those."),
                .query(
                    "kind", .string(Schema.TextRule(values: JobRequest.kinds)), "Only those."),
                .query("backup_id", FieldSchemas.backupID, "Only those of this backup."),
                .query("since", FieldSchemas.time, "Only those asked for then or later."),
                .query("until", FieldSchemas.time, "Only those asked for before."),
                .query("limit", .integer(1...1000), "How many at most; 100 when not given."),
                .query("cursor", FieldSchemas.cursor, "The next_cursor of the page before."),
            ],
            replies: [.json(.ok, .named("JobList"), "A page of jobs.")]
        ) { call in
            var filter = JobFilter()
            filter.status = call.text("status").flatMap { JobStatus(rawValue: $0) }
            filter.kind = call.text("kind")
            filter.snapshotID = call.text("backup_id")
            filter.since = call.time("since")
            filter.until = call.time("until")
            let page = try await environment.state.jobs(
                filter, after: call.text("cursor"), limit: call.number("limit") ?? 100)
            return .json(
                .object([
                    "jobs": .array(page.jobs.map { jobs.json($0, for: call) }),
                    "next_cursor": .optional(page.nextCursor),
                    "total": .count(page.totalCount),
                ]))
        }
    }

    private var details: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/{job_id}", id: "getJob", group: Self.group,
            summary: "Tell how a job is doing.", access: .permitted(.backupsRead),
            parameters: [CommonParameters.jobParameter, CommonParameters.prefer],
            replies: [
                .json(.ok, .named("Job"), "The job."),
                .problem(.notFound, "There is no such job."),
            ]
        ) { call in
            let record = try await job(call)
            guard let seconds = call.preferredWait(limit: JobReplies.waitSecondsMax),
                !record.status.isTerminal
            else { return .json(jobs.json(record, for: call)) }
            return .json(
                jobs.json(try await jobs.wait(for: record, seconds: seconds), for: call),
                headers: [.preferenceApplied: "wait=\(seconds)"])
        }
    }

    private var events: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/{job_id}/events", id: "followJob",
            group: Self.group, summary: "Follow a job by server-sent events.",
            details: "Events are status, progress, notice and pre_restore_backup, each with JSON; "
                + "the stream ends with the job. A client that reconnects resumes after the "
                + "Last-Event-ID that it gives; when there is nothing more, the answer is 204, "
                + "which ends an EventSource. A stream ends with its token, or with the service, "
                + "and then its last event is closed, with a code. There are limits to the number "
                + "of streams of a subject and of all.",
            access: .permitted(.backupsRead),
            parameters: [
                CommonParameters.jobParameter,
                .header(
                    "Last-Event-ID", .integer(0...Int.max), "The last event that was received."),
            ],
            replies: [
                .other(.ok, "text/event-stream", "The events."),
                .other(.noContent, nil, "The job has ended, and the client has all of it."),
                .problem(.notFound, "There is no such job."),
                .problem(
                    .serviceUnavailable, "There are too many streams.",
                    headers: ["Retry-After": "How many seconds to wait."]),
            ]
        ) { call in
            let record = try await job(call)
            let stream = JobEventStream(
                job: record.id, after: Int64(call.number("Last-Event-ID") ?? 0),
                expiresAt: call.caller?.expiresAt, now: environment.date,
                state: environment.state, signals: environment.runner.signals)
            if let expiry = stream.expiresAt, expiry <= environment.date() {
                throw EndpointPipeline.expired
            }
            guard try await !stream.isOver() else { return Reply(status: .noContent) }
            let slot = try environment.streams.events.take(call.subject)
            return Reply(
                status: .ok,
                headers: [
                    .contentType: "text/event-stream", .cacheControl: "no-store",
                    .accelBuffering: "no",
                ],
                content: .stream(byteCount: nil) { writer in
                    defer { withExtendedLifetime(slot) {} }
                    try await stream.write(to: writer)
                })
        }
    }

    private var cancel: Endpoint {
        Endpoint(
            method: .post, path: "\(Self.path)/{job_id}/cancel", id: "cancelJob",
            group: Self.group, summary: "End a job.",
            details: "One that waits ends at once; one that is being done ends soon, and leaves "
                + "nothing half done. Who may begin a job of its kind may end it.",
            access: .permitted(.backupsCreate),
            parameters: [CommonParameters.jobParameter],
            replies: [
                .json(.accepted, .named("Job"), "It is being ended."),
                .json(.ok, .named("Job"), "It has ended."),
                .problem(.notFound, "There is no such job."),
                .problem(.conflict, "It had ended before."),
            ],
            auditedAs: "job.cancel"
        ) { call in
            try await authorize(call)
            let record = try await environment.runner.cancel(call.required("job_id"))
            return .json(
                jobs.json(record, for: call), record.status.isTerminal ? .ok : .accepted)
        }
    }

    private var resume: Endpoint {
        Endpoint(
            method: .post, path: "\(Self.path)/{job_id}/resume", id: "resumeJob",
            group: Self.group, summary: "Resume a job that was interrupted.",
            details: "Another job does the same and takes over what the first one had completed. "
                + "Whoever may start a job of its kind may resume it.",
            access: .permitted(.backupsCreate),
            parameters: [
                CommonParameters.jobParameter, CommonParameters.idempotencyKey,
                CommonParameters.prefer,
            ],
            replies: [
                .json(
                    .accepted, .named("JobStarted"), "It has begun.",
                    headers: BackupEndpoints.location),
                .json(.ok, .named("JobStarted"), "The job has already ended."),
                .problem(.notFound, "There is no such job."),
                .problem(.conflict, "There is nothing to resume."),
            ],
            auditedAs: "job.resume", takesIdempotencyKey: true
        ) { call in
            let record = try await authorize(call)
            let resumed = try await environment.runner.resume(
                record, by: jobs.submitter(call), claim: jobs.claim(call))
            return try await jobs.started(resumed, call)
        } answer: { record, call in
            try await jobs.started(record, call)
        }
    }

    /// A job may be ended and resumed by whoever may start one like it.
    @discardableResult
    private func authorize(_ call: Call) async throws -> JobRecord {
        let record = try await job(call)
        let permission: Permission =
            switch record.kind {
            case "restore", "preview": .backupsRestore
            case "cleanup": .backupsCleanup
            case "verify": .backupsVerify
            default: .backupsCreate
            }
        guard let role = call.caller?.role, environment.permissions.allows(role, permission) else {
            throw Problem.forbidden(call.caller, permission)
        }
        return record
    }

    private func job(_ call: Call) async throws -> JobRecord {
        let id = call.required("job_id")
        guard let record = try await environment.state.job(id) else {
            throw Problem.notFound("there is no job \(id)")
        }
        return record
    }
}
