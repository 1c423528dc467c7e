internal import ArchiveFormat
internal import Operations
internal import ServiceState
internal import SnapshotJSON
internal import Snapshots

/// A backup as the list has it.
enum BackupJSON {
    static func overview(_ overview: SnapshotCatalog.Overview) -> JSONValue {
        let facts = overview.facts
        return .object([
            "backup_id": .string(overview.id.description),
            "backup_type": .string(overview.id.kind),
            "status": .string(overview.isDamaged ? "DAMAGED" : "COMPLETED"),
            "created": facts.map { .date($0.startedAt) } ?? .null,
            "finished": facts.map { .date($0.finishedAt) } ?? .null,
            "documents": .optional(count: facts?.documentCount),
            "bytes": .optional(count: facts?.documentByteCount),
            "stored_bytes": .count(overview.storedByteCount),
            "ratio": facts.map { .ratio(overview.storedByteCount, of: $0.documentByteCount) }
                ?? .null,
            "namespaces": .optional(count: facts.map { UInt64($0.namespaceCount) }),
            "consistency": facts.map { JSONValue($0.consistency) } ?? .null,
            "codec": .optional(facts?.compression.codec.name),
            "description": .optional(facts?.description),
            "loss": JSONValue(facts?.loss),
            "verification": overview.verification.map { JSONValue($0) } ?? .null,
            "error": .optional(overview.error ?? overview.verification?.error),
        ])
    }
}

extension ScheduleRecord {
    /// The schedule as it is told.
    var json: JSONValue {
        .object([
            "enabled": .bool(isEnabled), "cron": .string(cron), "time_zone": .string(timeZone),
            "jitter_seconds": .count(jitterSeconds), "verify": .bool(verifies),
            "backup": .verbatim(request),
            "retention": retention.map { .verbatim($0) } ?? .object([]),
            "next_run": nextRunAt.map { .date($0) } ?? .null,
            "last_run": lastRunAt.map { .date($0) } ?? .null,
            "last_job_id": .optional(lastJobID),
        ])
    }
}
