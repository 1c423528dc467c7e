internal import SnapshotJSON

/// Answers as they may be, by the names of their shapes: for readers of the documentation. A test
/// holds each against its shape.
enum ReplyExamples {
    private static let backupID = "20261124T084512Z-manual-3f9a1c"
    private static let jobID = "20261124T084512Z-backup-7d20e4"

    /// Those there are.
    static let all: [String: JSONValue] = [
        "Problem": .object([
            "type": .string("/docs#problem-invalid_request"),
            "title": .string("Unprocessable Content"), "status": .count(422),
            "code": .string("invalid_request"), "detail": .string("a field is not valid"),
            "request_id": .string("9fa9bf50d022f8fe"),
            "errors": .array([
                .object([
                    "in": .string("body"), "field": .string("/level"),
                    "message": .string("is not a whole number from 1 to 19"),
                ])
            ]),
        ]),
        "BackupStarted": .object([
            "backup_id": .string(backupID), "job_id": .string(jobID),
            "status": .string("PENDING"), "error": .null,
        ]),
        "JobStarted": .object([
            "job_id": .string(jobID), "status": .string("PENDING"), "error": .null,
        ]),
        "JobError": .object([
            "code": .string("server_selection"),
            "message": .string("no server is reachable"),
        ]),
        "Backup": backup,
        "BackupList": .object([
            "backups": .array([backup]), "next_cursor": .null,
            "ignored": .array([
                .object([
                    "name": .string("latest.archive.gz"),
                    "reason": .string("it is a symbolic link"),
                ])
            ]),
            "totals": .object([
                "backups": .count(1), "documents": .count(50001), "bytes": .count(42_535_148),
                "stored_bytes": .count(19_496_892),
            ]),
        ]),
        "JobProgress": progress,
        "Job": .object([
            "job_id": .string(jobID), "kind": .string("backup"),
            "status": .string("IN_PROGRESS"), "backup_id": .string(backupID),
            "created_by": .string("ann"), "created": .string("2026-11-24T08:45:12Z"),
            "started": .string("2026-11-24T08:45:12Z"), "finished": .null,
            "progress": progress, "result": .null, "error": .null, "resumes": .null,
            "resumed_by": .null, "resumable": .bool(false),
        ]),
        "Schedule": .object([
            "enabled": .bool(true), "cron": .string("30 2 * * *"),
            "time_zone": .string("Europe/Rome"), "jitter_seconds": .count(600),
            "verify": .bool(true), "backup": .object([]),
            "retention": .object(["keep_days": .count(14)]),
            "next_run": .string("2026-11-25T01:36:02Z"),
            "last_run": .string("2026-11-24T01:31:40Z"),
            "last_job_id": .string("20261124T013140Z-scheduled_backup-51c09b"),
        ]),
        "Cleanup": cleanup,
    ]

    private static let backup = JSONValue.object([
        "backup_id": .string(backupID), "backup_type": .string("manual"),
        "status": .string("COMPLETED"), "created": .string("2026-11-24T08:45:12Z"),
        "finished": .string("2026-11-24T08:45:13Z"), "documents": .count(50001),
        "bytes": .count(42_535_148), "stored_bytes": .count(19_496_892),
        "ratio": .decimal(0.458), "namespaces": .count(2),
        "consistency": .object([
            "level": .string("snapshot"),
            "cluster_time": .object(["seconds": .count(1_795_510_712), "increment": .count(7)]),
        ]), "codec": .string("gzip"),
        "description": .string("before the move"), "loss": .null,
        "verification": .object([
            "at": .string("2026-11-24T08:50:00Z"), "outcome": .string("ok"),
            "seconds": .decimal(0.21), "error": .null,
        ]),
        "error": .null,
    ])

    private static let progress = JSONValue.object([
        "phase": .string("reading"), "documents": .count(29579), "bytes": .count(25_163_162),
        "bytes_total": .count(42_535_089), "share": .decimal(0.592),
        "subject": .string("shop.orders"),
    ])

    private static let cleanup = JSONValue.object([
        "dry_run": .bool(true),
        "removed": .array([
            .object([
                "backup_id": .string("20261001T020000Z-scheduled-0c11d2"),
                "action": .string("remove"), "stored_bytes": .count(19_495_778),
                "reasons": .array([
                    .object([
                        "code": .string("too_old"), "reason": .string("older than 30 days"),
                    ])
                ]),
            ])
        ]),
        "kept": .array([]), "failed": .array([]), "freed_bytes": .count(19_495_778),
        "job_id": .string("20261124T165954Z-cleanup-10e33b"),
    ])
}
