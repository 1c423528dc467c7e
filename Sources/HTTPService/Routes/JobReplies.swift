internal import AccessControl
internal import HTTPTypes
internal import Operations
internal import ServiceLifecycle
internal import ServiceState
internal import SnapshotJSON
internal import Snapshots

/// Begins jobs for callers and answers with what becomes of them.
struct JobReplies: Sendable {
    /// The longest that a caller may have an answer wait.
    static let waitSecondsMax = 60

    let environment: ServiceEnvironment

    /// Begins a job.
    ///
    /// - Throws: `Problem` 422 for what can't be, 409, 503.
    func submit(_ request: JobRequest, _ call: Call) async throws -> JobRecord {
        try request.validate()
        return try await environment.runner.submit(
            request, by: submitter(call), claim: claim(call))
    }

    /// Who asks, for the job's record.
    func submitter(_ call: Call) -> JobRunner.Submitter {
        JobRunner.Submitter(
            subject: call.subject, role: call.caller?.role.rawValue ?? "",
            requestID: call.requestID, address: call.address)
    }

    /// The key that the job is asked for with.
    func claim(_ call: Call) -> IdempotencyKey? {
        call.idempotencyKey.map { IdempotencyKey(key: $0, subject: call.subject) }
    }

    /// The answer for a job: 202, or 200 when it has ended while the caller waited.
    ///
    /// - Parameter members: what the body has in front.
    func started(
        _ record: JobRecord, _ call: Call, members: [JSONValue.Member] = []
    ) async throws -> Reply {
        let seconds = call.preferredWait(limit: Self.waitSecondsMax)
        return reply(try await waited(record, seconds), seconds, members)
    }

    private func reply(
        _ job: JobRecord, _ seconds: Int?, _ members: [JSONValue.Member] = []
    ) -> Reply {
        let body = JSONValue.object(
            members + [
                JSONValue.Member("job_id", .string(job.id)),
                JSONValue.Member("status", .string(job.status.rawValue)),
                JSONValue.Member("error", Self.verbatim(job.error)),
            ])
        var reply = Reply.json(
            body, job.status.isTerminal ? .ok : .accepted, headers: headers(job, seconds))
        reply.resource = job.snapshotID ?? job.id
        return reply
    }

    /// The answer for a job that was asked for because of its result: that with 200, or 202 when it
    /// takes longer than the caller waits.
    ///
    /// - Throws: `Problem` when the job has failed.
    func result(_ record: JobRecord, _ call: Call, standardWait: Int) async throws -> Reply {
        let preferred = call.preferredWait(limit: Self.waitSecondsMax)
        let latest = try await waited(record, preferred ?? standardWait)
        guard latest.status.isTerminal else { return reply(latest, preferred) }
        guard let result = latest.result else { throw Problem(jobError: latest) }
        var reply = Reply.json(.verbatim(result), headers: headers(latest, preferred))
        reply.resource = latest.snapshotID ?? latest.id
        return reply
    }

    private func waited(_ record: JobRecord, _ seconds: Int?) async throws -> JobRecord {
        guard let seconds, seconds > 0, !record.status.isTerminal else { return record }
        return try await wait(for: record, seconds: seconds)
    }

    /// The job once it has ended, or as it is when the time is over or the service is being shut
    /// down.
    func wait(for record: JobRecord, seconds: Int) async throws -> JobRecord {
        let latest = try await cancelWhenGracefulShutdown {
            do {
                return try await environment.runner.wait(for: record.id, seconds: seconds)
            } catch is CancellationError {
                return nil
            }
        }
        return latest ?? record
    }

    private func headers(_ record: JobRecord, _ seconds: Int?) -> HTTPFields {
        var headers: HTTPFields = [.location: "\(BasePath.text)/jobs/\(record.id)"]
        if let seconds { headers[.preferenceApplied] = "wait=\(seconds)" }
        return headers
    }

    /// JSON that a record keeps, or null.
    static func verbatim(_ text: String?) -> JSONValue { text.map { .verbatim($0) } ?? .null }

    /// Whether the caller may see documents: whoever may restore them may read them anyway.
    func maySeeDocuments(_ call: Call) -> Bool {
        call.caller.map { environment.permissions.allows($0.role, .backupsRestore) } ?? false
    }

    /// Kinds of jobs whose results hold documents, or parts of them.
    private static let revealingKinds: Set<String> = ["preview", "diff"]

    /// A job as it is told; without documents to who may not see those.
    func json(_ job: JobRecord, for call: Call) -> JSONValue {
        let isHidden =
            Self.revealingKinds.contains(job.kind) && job.createdBy != call.subject
            && !maySeeDocuments(call)
        return .object([
            "job_id": .string(job.id), "kind": .string(job.kind),
            "status": .string(job.status.rawValue), "backup_id": .optional(job.snapshotID),
            "created_by": .string(job.createdBy), "created": .date(job.createdAt),
            "started": job.startedAt.map { .date($0) } ?? .null,
            "finished": job.finishedAt.map { .date($0) } ?? .null,
            "progress": Self.verbatim(job.progress),
            "result": isHidden ? .null : Self.verbatim(job.result),
            "error": Self.verbatim(job.error), "resumes": .optional(job.resumes),
            "resumed_by": .optional(job.resumedBy),
            "resumable": .bool(
                job.isResumable && job.resumedBy == nil
                    && [.failed, .canceled].contains(job.status)),
        ])
    }
}

/// Under which everything but the root's endpoints is.
enum BasePath {
    static let text = "/api/phase14"
}
