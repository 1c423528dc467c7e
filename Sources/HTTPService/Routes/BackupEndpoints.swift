internal import AccessControl
internal import HTTPTypes
internal import Operations
internal import ServiceState
internal import SnapshotJSON

/// Backups: made, listed, looked into and removed.
struct BackupEndpoints: Sendable {
    static let path = BasePath.text + "/backup"
    static let group = "Backups"

    let environment: ServiceEnvironment
    var jobs: JobReplies { JobReplies(environment: environment) }

    var all: [Endpoint] {
        [
            create, list, statistics, cleanup, details, restore, verify, download, delete, document,
            difference,
        ]
    }

    private var create: Endpoint {
        Endpoint(
            method: .post, path: "\(Self.path)/create", id: "createBackup", group: Self.group,
            summary: "Begin a backup.",
            details: "Without a selection the whole server is backed up, users and roles too. The "
                + "backup appears in the list when all of it was written, synced and checked.",
            access: .permitted(.backupsCreate),
            parameters: [CommonParameters.idempotencyKey, CommonParameters.prefer],
            body: Endpoint.Body(
                schema: .object(FieldSchemas.backup), isRequired: false,
                example: .object(["backup_type": .string("manual")]),
                judge: { try JobRequest.backup(try Call.decoded($0)).validate() },
                dependencies: FieldSchemas.backupDependencies),
            replies: [
                .json(.accepted, .named("BackupStarted"), "It has begun.", headers: Self.location),
                .json(.ok, .named("BackupStarted"), "The job has already ended."),
            ],
            auditedAs: "backup.create", takesIdempotencyKey: true
        ) { call in
            let record = try await jobs.submit(.backup(try call.decoded()), call)
            return try await created(record, call)
        } answer: { record, call in
            try await created(record, call)
        }
    }

    private func created(_ record: JobRecord, _ call: Call) async throws -> Reply {
        try await jobs.started(
            record, call, members: [JSONValue.Member("backup_id", .optional(record.snapshotID))])
    }

    private var list: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/list", id: "listBackups", group: Self.group,
            summary: "List backups, newest first.", access: .permitted(.backupsRead),
            parameters: [
                .query(
                    "type", FieldSchemas.kind, "Only those of this kind."),
                .query(
                    "status", .word("COMPLETED", "DAMAGED"), "Only those that are whole, or not."),
                .query("since", FieldSchemas.time, "Only those begun at that moment or later."),
                .query("until", FieldSchemas.time, "Only those begun before that moment."),
                .query("limit", .integer(1...1000), "How many at most; 100 when not given."),
                .query("cursor", FieldSchemas.backupID, "The next_cursor of the page before."),
            ],
            replies: [.json(.ok, .named("BackupList"), "A page of backups.")]
        ) { call in
            .json(
                BackupList(call).json(
                    of: try await environment.snapshots.overviews(),
                    ignored: try await environment.snapshots.ignored()))
        }
    }

    private var details: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/{backup_id}", id: "getBackup", group: Self.group,
            summary: "Tell what is in a backup.", access: .permitted(.backupsRead),
            parameters: [CommonParameters.backupParameter],
            replies: [
                .json(.ok, .named("BackupDetails"), "Its manifest."),
                .problem(.notFound, "There is no such backup."),
                .problem(.conflict, "It is damaged."),
            ]
        ) { call in
            .json(try await environment.snapshots.details(of: call.required("backup_id")))
        }
    }

    private var verify: Endpoint {
        Endpoint(
            method: .post, path: "\(Self.path)/{backup_id}/verify", id: "verifyBackup",
            group: Self.group, summary: "Read all of a backup and check every hash and count.",
            access: .permitted(.backupsVerify),
            parameters: [
                CommonParameters.backupParameter, CommonParameters.idempotencyKey,
                CommonParameters.prefer,
            ],
            replies: [
                .json(.accepted, .named("JobStarted"), "It has begun.", headers: Self.location),
                .json(.ok, .named("JobStarted"), "The job has already ended."),
                .problem(.notFound, "There is no such backup."),
            ],
            auditedAs: "backup.verify", takesIdempotencyKey: true
        ) { call in
            let id = call.required("backup_id")
            try await environment.snapshots.checkExists(id)
            let record = try await jobs.submit(.verify(VerifyRequest(snapshot: id)), call)
            return try await jobs.started(record, call)
        } answer: { record, call in
            try await jobs.started(record, call)
        }
    }

    private var delete: Endpoint {
        Endpoint(
            method: .delete, path: "\(Self.path)/{backup_id}", id: "deleteBackup",
            group: Self.group, summary: "Remove a backup.", access: .permitted(.backupsDelete),
            parameters: [
                CommonParameters.backupParameter,
                .query(
                    "force", .boolean,
                    "Whether it is removed even if it is the last verified one."),
            ],
            replies: [
                .other(.noContent, nil, "It was removed."),
                .problem(.notFound, "There is no such backup."),
                .problem(.conflict, "It is in use, or it is the last verified one."),
            ],
            auditedAs: "backup.delete"
        ) { call in
            let id = call.required("backup_id")
            try await environment.snapshots.delete(id, isForced: call.flag("force"))
            return Reply(status: .noContent, resource: id)
        }
    }

    private var statistics: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/statistics", id: "backupStatistics",
            group: Self.group, summary: "Sum up the repository, its jobs and its schedule.",
            access: .permitted(.backupsRead),
            replies: [.json(.ok, .named("Statistics"), "The sums.")]
        ) { _ in
            .json(try await environment.statistics.json())
        }
    }

    private var document: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/{backup_id}/documents/{db}/{collection}/{_id}",
            id: "getDocument", group: Self.group,
            summary: "Show one document of a backup, as canonical Extended JSON.",
            details: "The _id is Extended JSON, such as `42`, `\"42\"` or "
                + "`{\"$oid\": \"65f0c2a4b1d2e3f405162738\"}`; 24 hexadecimal digits are an "
                + "ObjectId, and what is no JSON and does not begin like it is a string. Whoever "
                + "may restore a document may read it.",
            access: .permitted(.backupsRestore),
            parameters: [
                CommonParameters.backupParameter,
                .path("db", .string(Schema.TextRule(lengths: 1...63)), "The database."),
                .path(
                    "collection", .string(Schema.TextRule(lengths: 1...255)), "The collection."),
                .path("_id", .string(Schema.TextRule(lengths: 1...1024)), "The document's _id."),
            ],
            replies: [
                .json(
                    .ok, .map(.any), "The document.",
                    headers: [
                        "X-Invalid-Strings":
                            "How many of its strings are not UTF-8 and were written with U+FFFD; "
                            + "absent when all are."
                    ]),
                .problem(.notFound, "There is no such backup, collection or document."),
                .problem(.conflict, "The backup is damaged."),
            ],
            auditedAs: "backup.read_document"
        ) { call in
            do {
                let document = try await environment.snapshots.document(
                    call.required("_id"), database: call.required("db"),
                    collection: call.required("collection"), of: call.required("backup_id"))
                var headers = HTTPFields()
                if document.invalidStringCount > 0 {
                    headers[.invalidStrings] = String(document.invalidStringCount)
                }
                return .text(document.text, type: "application/json", headers: headers)
            } catch let error as JobFailure where error.code == SnapshotLibrary.invalidIDCode {
                throw Problem.invalid(.path, "_id", error.message)
            }
        }
    }

    /// Of an answer that begins a job.
    static let location = ["Location": "The job."]
}
