internal import Operations

/// The shapes of what is answered, by the names that the document lists them under.
enum ReplySchemas {
    /// All of them.
    static let all: [(name: String, schema: Schema)] =
        [("Problem", Problem.schema)] + backups + jobs + results

    private static let clusterTime = Schema.object([
        .required("seconds", .count), .required("increment", .count),
    ])

    private static let consistency = Schema.object([
        .required("level", .word("snapshot", "oplog", "none")),
        .required("cluster_time", .nullable(clusterTime)),
        Schema.Property("oplog_start", clusterTime),
        Schema.Property("oplog_end", clusterTime),
    ]).saying("Which instant it is of.")

    private static let loss = Schema.nullable(
        .object([
            .required("chunks", .count), .required("documents", .nullable(.count)),
            .required("may_be_more", .boolean),
        ])
    ).saying("What a salvaged backup lacks; null for a whole one.")

    private static let verification = Schema.nullable(
        .object([
            .required("at", .time), .required("outcome", .word("ok", "damaged")),
            .required("seconds", .number), .required("error", .nullable(.text)),
        ])
    ).saying("The last deep check; null when there was none.")

    private static let jobStatus = Schema.string(
        Schema.TextRule(values: [
            "PENDING", "IN_PROGRESS", "SUCCEEDED", "PARTIALLY_FAILED", "FAILED", "CANCELED",
        ]))

    private static let jobKind = Schema.string(Schema.TextRule(values: JobRequest.kinds))
    private static let codec = Schema.word("gzip", "zstd", "lz4")

    /// So many bytes in hexadecimal.
    private static func hexadecimal(byteCount: Int) -> Schema {
        let count = 2 * byteCount
        return .string(Schema.TextRule(lengths: count...count, pattern: "[0-9a-f]+"))
    }

    // MARK: Backups

    private static let overview: [Schema.Property] = [
        .required("backup_id", .named("BackupID")),
        .required("backup_type", .text.saying("The kind in the identifier.")),
        .required("status", .word("COMPLETED", "DAMAGED")),
        .required("created", .nullable(.time)),
        .required("finished", .nullable(.time)),
        .required("documents", .nullable(.count)),
        .required("bytes", .nullable(.count).saying("Of documents, uncompressed.")),
        .required("stored_bytes", .count.saying("Of the archive.")),
        .required("ratio", .nullable(.number).saying("Stored bytes a byte of documents.")),
        .required("namespaces", .nullable(.count)),
        .required("consistency", .nullable(consistency)),
        .required("codec", .nullable(codec)),
        .required("description", .nullable(.text)),
        .required("loss", loss),
        .required("verification", verification),
        .required("error", .nullable(.text).saying("Why it can't be read.")),
    ]

    /// Ignored files of a repository that a list names.
    static let ignoredCountMax = 100

    private static let backups: [(name: String, schema: Schema)] = [
        ("BackupID", FieldSchemas.backupID.saying("Such as 20261123T084512Z-manual-3f9a1c.")),
        ("JobID", FieldSchemas.jobID.saying("Such as 20261123T084512Z-backup-3f9a1c.")),
        ("Backup", .object(overview)),
        (
            "BackupList",
            .object([
                .required("backups", .array(.named("Backup"), countMax: 1000)),
                .required("next_cursor", .nullable(.text).saying("For the next page.")),
                .required(
                    "ignored",
                    .array(
                        .object([
                            .required("name", .text.saying("Of the file or folder.")),
                            .required("reason", .text.saying("Why it is no backup.")),
                        ]), countMax: ignoredCountMax
                    ).saying(
                        "What is in the repository's folder and is no backup, such as symbolic "
                            + "links.")),
                .required(
                    "totals",
                    .object([
                        .required("backups", .count), .required("documents", .count),
                        .required("bytes", .count), .required("stored_bytes", .count),
                    ]).saying("Of all that fit the filters.")),
            ])
        ),
        ("BackupDetails", .object(details)),
        (
            "BackupStarted",
            .object([
                .required("backup_id", .named("BackupID")), .required("job_id", .named("JobID")),
                .required("status", jobStatus), .required("error", .nullable(.named("JobError"))),
            ])
        ),
        ("Statistics", .object(statistics)),
        ("Schedule", .object(schedule)),
    ]

    private static let details: [Schema.Property] = [
        .required("backup_id", .named("BackupID")),
        .required("backup_type", .text),
        .required("format", .word("cairn")),
        .required("tool", .text),
        .required("documents", .count),
        .required("bytes", .count),
        .required("stored_bytes", .count),
        .required("ratio", .nullable(.number)),
        .required("namespaces", .count),
        .required("sha256", hexadecimal(byteCount: 32).saying("Seals the whole archive.")),
        .required("created", .time),
        .required("finished", .time),
        .required("consistency", consistency),
        .required("loss", loss),
        .required("codec", codec),
        .required("level", .count),
        .required("chunk_bytes", .count),
        .required("description", .nullable(.text)),
        .required(
            "source",
            .object([
                .required("hosts", .array(.text, countMax: 1000)),
                .required("server_version", .text), .required("replica_set", .nullable(.text)),
            ])),
        .required(
            "selection",
            .object([
                .required("databases", .nullable(.array(.text, countMax: 1000))),
                .required("ns_include", .array(.text, countMax: 100_000)),
                .required("ns_exclude", .array(.text, countMax: 100_000)),
            ])),
        .required("verification", verification),
        .required("collections", .array(collection, countMax: 1_000_000)),
    ]

    private static let collection = Schema.object([
        .required("db", .text), .required("collection", .text), .required("type", .text),
        .required("documents", .count), .required("bytes", .count),
        .required("crc64", hexadecimal(byteCount: 8)),
        .required("fingerprint", hexadecimal(byteCount: 16)),
        .required("consistency", .nullable(consistency)),
        .required("indexes", .array(.nullable(.text), countMax: 1000)),
        .required("options", .any),
    ])

    private static let event = Schema.nullable(
        .object([.required("backup_id", .named("BackupID")), .required("at", .time)]))

    private static let repository: [Schema.Property] = [
        .required("backups", .count.saying("Backups of all kinds.")),
        .required("kinds", .map(.count)),
        .required("damaged", .count), .required("documents", .count),
        .required("bytes", .count.saying("Of documents, uncompressed.")),
        .required("stored_bytes", .count), .required("ratio", .nullable(.number)),
        .required("bytes_per_second", .nullable(.count).saying("Of backups, on the average.")),
        .required("seconds", .nullable(.number).saying("Of a backup, on the average.")),
        .required("oldest", event), .required("newest", event),
        .required("last_success", event), .required("last_verified", event),
        .required("growth_bytes_per_day", .nullable(.count)),
        .required("free_bytes", .nullable(.count)),
        .required("total_bytes", .nullable(.count)),
    ]

    private static let statistics: [Schema.Property] = [
        .required("repository", .object(repository)),
        .required(
            "jobs",
            .object([
                .required("since", .time), .required("succeeded", .count),
                .required("failed", .count),
                .required("success_rate", .nullable(.number).saying("From 0 to 1.")),
            ]).saying("Backups of the last 30 days.")),
        .required("next_scheduled_run", .nullable(.time)),
    ]

    private static let schedule: [Schema.Property] = [
        .required("enabled", .boolean),
        .required("cron", .text.saying("Minute, hour, day, month, day of the week.")),
        .required("time_zone", .text.saying("Of the IANA database, such as Europe/Rome.")),
        .required("jitter_seconds", .count),
        .required("verify", .boolean.saying("Whether each backup is verified.")),
        .required("backup", .any.saying("What is backed up, as POST /backup/create takes it.")),
        .required("retention", .any.saying("What is kept, as POST /backup/cleanup takes it.")),
        .required("next_run", .nullable(.time)),
        .required("last_run", .nullable(.time)),
        .required("last_job_id", .nullable(.named("JobID"))),
    ]

    // MARK: Jobs

    private static let jobs: [(name: String, schema: Schema)] = [
        (
            "JobError",
            .object([.required("code", .text), .required("message", .text)])
        ),
        (
            "Job",
            .object([
                .required("job_id", .named("JobID")), .required("kind", jobKind),
                .required("status", jobStatus),
                .required("backup_id", .nullable(.named("BackupID"))),
                .required("created_by", .text), .required("created", .time),
                .required("started", .nullable(.time)), .required("finished", .nullable(.time)),
                .required("progress", .nullable(.named("JobProgress"))),
                .required("result", .any.saying("As its kind has it; null before the end.")),
                .required("error", .nullable(.named("JobError"))),
                .required("resumes", .nullable(.named("JobID"))),
                .required("resumed_by", .nullable(.named("JobID"))),
                .required("resumable", .boolean.saying("Whether it can be resumed.")),
            ])
        ),
        (
            "JobProgress",
            .object([
                .required("phase", .text), .required("documents", .count),
                .required("bytes", .count), .required("bytes_total", .nullable(.count)),
                .required("share", .nullable(.number)), .required("subject", .nullable(.text)),
            ])
        ),
        (
            "JobStarted",
            .object([
                .required("job_id", .named("JobID")), .required("status", jobStatus),
                .required("error", .nullable(.named("JobError"))),
            ])
        ),
        (
            "JobList",
            .object([
                .required("jobs", .array(.named("Job"), countMax: 1000)),
                .required("next_cursor", .nullable(.text)),
                .required("total", .count),
            ])
        ),
    ]

    // MARK: Results

    private static let decisions = Schema.array(
        .object([
            .required("backup_id", .named("BackupID")),
            .required("action", .word("keep", "remove")),
            .required("stored_bytes", .count),
            .required(
                "reasons",
                .array(
                    .object([.required("code", .text), .required("reason", .text)]),
                    countMax: 100)),
        ]), countMax: 1_000_000)

    private static let fields = Schema.array(.any, countMax: 1_000_000)

    private static let unit = Schema.nullable(
        .word("documents", "buckets", "users", "roles")
    ).saying("What is counted; null of a view.")

    private static let invalidStrings = Schema.Property.required(
        "invalid_strings",
        Schema.count.saying(
            "Strings in the samples that are not UTF-8; U+FFFD stands for each defect."))

    private static let refusals = Schema.array(
        .object([
            .required("code", .text),
            .required("namespace", .nullable(.text).saying("Null where it is about all of it.")),
            .required("message", .text),
            .required(
                "ways",
                .array(.word("replace", "keep_old", "in_place", "merge"), countMax: 4)
                    .saying("The ways to restore that would be refused.")),
        ]), countMax: 1_000_000
    ).saying("For what reasons a restore would fail before it writes anything.")

    private static let results: [(name: String, schema: Schema)] = [
        (
            "Preview",
            .object([
                .required("backup_id", .named("BackupID")), .required("job_id", .named("JobID")),
                .required("mode", .word("preview")),
                .required("cluster_time", .nullable(clusterTime)),
                .required("to_insert", .count), .required("to_overwrite", .count),
                .required("equal", .count), .required("only_live", .count),
                .required(
                    "adjustments",
                    Schema.array(.text, countMax: 101).saying(
                        "What would be left out or changed of old options and indexes.")),
                .required("refusals", refusals),
                .required(
                    "notes",
                    .array(.text, countMax: 1_000_000).saying("What the counts leave out.")),
                invalidStrings, .required("seconds", .number),
                .required(
                    "collections",
                    .array(
                        .object([
                            .required("source", .text), .required("target", .text),
                            .required("type", .text), .required("unit", unit),
                            .required("is_live", .boolean),
                            .required("to_insert", .count), .required("to_overwrite", .count),
                            .required("equal", .count), .required("only_live", .count),
                            .required("options_differing", fields),
                            .required("indexes_differing", fields),
                            .required(
                                "unique_conflicts",
                                fields.saying("What unique indexes would refuse of a merge.")),
                            .required("samples", .any),
                        ]), countMax: 1_000_000)),
            ])
        ),
        (
            "Difference",
            .object([
                .required("first", .text), .required("second", .text),
                .required("job_id", .named("JobID")), .required("equal", .boolean),
                invalidStrings, .required("seconds", .number),
                .required(
                    "collections",
                    .array(
                        .object([
                            .required("collection", .text), .required("type", .text),
                            .required("unit", unit), .required("in_first", .boolean),
                            .required("in_second", .boolean), .required("only_in_first", .count),
                            .required("only_in_second", .count), .required("differing", .count),
                            .required("equal", .count), .required("options_differing", fields),
                            .required("indexes_differing", fields),
                            .required("chunks_read", .count), .required("samples", .any),
                        ]), countMax: 1_000_000)),
            ])
        ),
        (
            "Cleanup",
            .object([
                .required("dry_run", .boolean),
                .required("removed", decisions.saying("Or what would be.")),
                .required("kept", decisions),
                .required(
                    "failed",
                    .array(
                        .object([
                            .required("backup_id", .named("BackupID")), .required("error", .text),
                        ]), countMax: 1_000_000)),
                .required("freed_bytes", .count), .required("job_id", .named("JobID")),
            ])
        ),
    ]
}
