internal import AccessControl
internal import HTTPTypes
internal import Operations
internal import ServiceState
internal import SnapshotJSON
internal import Snapshots

extension BackupEndpoints {
    /// How long an answer waits for a difference unless the caller says so.
    private static let resultWaitSeconds = 20

    private static let rename = Schema.array(
        .object([.required("from", FieldSchemas.pattern), .required("to", FieldSchemas.pattern)]),
        countMax: SelectionLimits.patternCountMax / 2)

    private static let restoreFields: [Schema.Property] = [
        Schema.Property(
            "mode", .word("preview", "merge", "replace").saying("preview when not given.")),
        Schema.Property("ns_include", FieldSchemas.inclusions),
        Schema.Property("ns_exclude", FieldSchemas.exclusions),
        Schema.Property(
            "rename", rename.saying("New names; the last one that fits a namespace counts.")),
        Schema.Property(
            "on_conflict", .word("overwrite", "keep").saying("Of a merge; overwrite by default.")),
        Schema.Property(
            "in_place", .boolean.saying("Of a replace: write only the difference.")),
        Schema.Property(
            "pre_restore_backup",
            .boolean.saying("Of a replace: whether what it replaces is backed up first; true.")),
        Schema.Property(
            "no_indexes",
            .boolean.saying(
                "Build no index but the one on `_id`. Of a replace: the collection has no other "
                    + "afterwards; of a merge: the live ones stay. false by default.")),
        Schema.Property(
            "convert_legacy_indexes",
            .boolean.saying(
                "Convert what servers before 3.4 allowed in indexes, such as a key's value true, "
                    + "0 or an empty string, to what it meant; else such a backup is refused. "
                    + "false by default.")),
        Schema.Property(
            "samples",
            .integer(0...1000).saying("Of a preview: documents that are reported of each kind.")),
    ]

    private static let restoreDependencies = [
        "on_conflict": "mode", "in_place": "mode", "pre_restore_backup": "mode", "samples": "mode",
    ]

    /// Only what the caller gives; the snapshot is in the path.
    private struct RestoreBody: Decodable {
        var mode: RestoreRequest.Mode?
        var nsInclude: [String]?
        var nsExclude: [String]?
        var rename: [RestoreRequest.Rename]?
        var onConflict: String?
        var inPlace: Bool?
        var preRestoreBackup: Bool?
        var noIndexes: Bool?
        var convertLegacyIndexes: Bool?
        var samples: Int?

        func request(_ id: String) -> RestoreRequest {
            var request = RestoreRequest(snapshot: id, mode: mode ?? .preview)
            request.nsInclude = nsInclude
            request.nsExclude = nsExclude
            request.rename = rename
            request.onConflict = onConflict
            request.inPlace = inPlace
            request.preRestoreBackup = preRestoreBackup
            request.noIndexes = noIndexes
            request.convertLegacyIndexes = convertLegacyIndexes
            request.samples = samples
            return request
        }
    }

    var restore: Endpoint {
        Endpoint(
            method: .post, path: "\(Self.path)/{backup_id}/restore", id: "restoreBackup",
            group: Self.group, summary: "Restore a backup, or report what a restore would do.",
            details: "The mode is preview unless another is given: nothing is written, and the "
                + "answer is the exact difference, or a job when that takes longer than the "
                + "caller waits. replace backs up what it replaces first, unless asked not to; the "
                + "job's result names that backup.",
            access: .permitted(.backupsRestore),
            parameters: [
                CommonParameters.backupParameter, CommonParameters.idempotencyKey,
                CommonParameters.prefer,
            ],
            body: Endpoint.Body(
                schema: .object(Self.restoreFields), isRequired: false,
                example: .object(["mode": .string("preview")]),
                judge: {
                    let body = try Call.decoded($0, as: RestoreBody.self)
                    try JobRequest.restore(body.request("")).validate()
                },
                dependencies: Self.restoreDependencies),
            replies: [
                .json(.accepted, .named("JobStarted"), "It has begun.", headers: Self.location),
                .json(
                    .ok, .oneOf([.named("Preview"), .named("JobStarted")]),
                    "What a restore would do; or, in another mode, the job has already ended."),
                .problem(.notFound, "There is no such backup."),
                .problem(.conflict, "The backup is damaged, or something prevents the restore."),
                .problem(.badGateway, "The database server can't be reached or refuses."),
            ],
            auditedAs: "backup.restore", takesIdempotencyKey: true
        ) { call in
            let id = call.required("backup_id")
            try await environment.snapshots.checkExists(id)
            let request = try call.decoded(as: RestoreBody.self).request(id)
            return try await restored(try await jobs.submit(.restore(request), call), call)
        } answer: { record, call in
            try await restored(record, call)
        }
    }

    private func restored(_ record: JobRecord, _ call: Call) async throws -> Reply {
        guard record.kind == "preview" else { return try await jobs.started(record, call) }
        return try await jobs.result(record, call, standardWait: Self.resultWaitSeconds)
    }

    var cleanup: Endpoint {
        Endpoint(
            method: .post, path: "\(Self.path)/cleanup", id: "cleanUpBackups", group: Self.group,
            summary: "Remove backups that need not be kept.",
            details: "Those that are older than keep_days, or beyond the max_count newest, unless "
                + "another rule keeps them. What a job uses, the newest verified backup and "
                + "damaged ones are never removed. What is not given is as the service was "
                + "started with: 30 days and 30 backups. With dry_run it reports which and why.",
            access: .permitted(.backupsCleanup),
            parameters: [CommonParameters.idempotencyKey, CommonParameters.prefer],
            body: Endpoint.Body(
                schema: .object(
                    [Schema.Property("dry_run", .boolean)] + FieldSchemas.retention),
                isRequired: false, example: .object(["dry_run": .bool(true)])),
            replies: [
                .json(.ok, .oneOf([.named("Cleanup"), .named("JobStarted")]), "What was removed."),
                .json(.accepted, .named("JobStarted"), "It has begun.", headers: Self.location),
                .problem(.conflict, "The repository is locked."),
            ],
            auditedAs: "backup.cleanup", takesIdempotencyKey: true
        ) { call in
            let record = try await jobs.submit(.cleanup(try call.decoded()), call)
            return try await jobs.result(record, call, standardWait: Self.resultWaitSeconds)
        } answer: { record, call in
            try await jobs.result(record, call, standardWait: Self.resultWaitSeconds)
        }
    }

    var difference: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/{backup_id}/diff/{other_id}", id: "diffBackups",
            group: Self.group, summary: "Tell what changed between two backups.",
            details: "Documents that differ are told only to who may restore them; others are told "
                + "how many there are.",
            access: .permitted(.backupsRead),
            parameters: [
                CommonParameters.backupParameter,
                .path("other_id", FieldSchemas.backupID, "The other backup's identifier."),
                .query(
                    "samples", .integer(0...1000),
                    "Documents that are reported of each kind; default 5."),
                CommonParameters.prefer,
            ],
            replies: [
                .json(.ok, .oneOf([.named("Difference"), .named("JobStarted")]), "What changed."),
                .json(
                    .accepted, .named("JobStarted"), "It takes longer.", headers: Self.location),
                .problem(.notFound, "There is no such backup."),
                .problem(.conflict, "One of them is damaged."),
            ],
            auditedAs: "backup.diff"
        ) { call in
            var request = DiffRequest(
                snapshot: call.required("backup_id"), other: call.required("other_id"))
            request.samples = jobs.maySeeDocuments(call) ? call.number("samples") : 0
            try await environment.snapshots.checkExists(request.snapshot)
            try await environment.snapshots.checkExists(request.other)
            let record = try await jobs.submit(.diff(request), call)
            return try await jobs.result(record, call, standardWait: Self.resultWaitSeconds)
        }
    }
}
