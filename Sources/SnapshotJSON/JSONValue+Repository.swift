public import Snapshots

extension JSONValue {
    /// What can be said of a repository as a whole.
    public init(_ statistics: RepositoryStatistics) {
        self = .object([
            "snapshots": .count(statistics.count),
            "kinds": .object(
                statistics.countsByKind.map { Member($0.kind, .count($0.count)) }),
            "damaged": .count(statistics.damagedCount),
            "documents": .count(statistics.documentCount),
            "bytes": .count(statistics.documentByteCount),
            "stored_bytes": .count(statistics.storedByteCount),
            "ratio": Self.decimal(statistics.ratio),
            "bytes_per_second": Self.whole(statistics.bytesPerSecond),
            "seconds": Self.decimal(statistics.secondsMean),
            "oldest": Self.event(statistics.oldest),
            "newest": Self.event(statistics.newest),
            "last_success": Self.event(statistics.lastSuccess),
            "last_verified": Self.event(statistics.lastVerified),
            "growth_bytes_per_day": Self.whole(statistics.growthBytesPerDay),
            "free_bytes": .optional(count: statistics.freeByteCount),
            "total_bytes": .optional(count: statistics.totalByteCount),
        ])
    }

    private static func event(_ event: RepositoryStatistics.Event?) -> JSONValue {
        guard let event else { return .null }
        return .object(["id": .string(event.id.description), "at": .date(event.at)])
    }

    private static func decimal(_ number: Double?) -> JSONValue {
        number.map { .decimal($0) } ?? .null
    }

    private static func whole(_ number: Double?) -> JSONValue {
        .optional(count: number.flatMap { UInt64(exactly: $0.rounded()) })
    }

    /// What a retention has removed, or would remove, and why.
    public init(_ report: Retention.Report) {
        self = .object([
            "dry_run": .bool(report.isDryRun),
            "removed": .array(report.removed.map { JSONValue($0) }),
            "kept": .array(report.kept.map { JSONValue($0) }),
            "failed": .array(
                report.failures.map { failure in
                    .object([
                        "id": .string(failure.id.description),
                        "error": .string(failure.message),
                    ])
                }),
            "freed_bytes": .count(report.freedByteCount),
        ])
    }

    /// What is to become of a snapshot, and why.
    public init(_ decision: RetentionDecision) {
        self = .object([
            "id": .string(decision.id.description),
            "action": .string(decision.action.rawValue),
            "stored_bytes": .count(decision.overview.storedByteCount),
            "reasons": .array(
                decision.reasons.map { reason in
                    .object([
                        "code": .string(reason.code.rawValue),
                        "reason": .string(reason.sentence),
                    ])
                }),
        ])
    }

    /// A snapshot that was removed.
    public init(_ report: SnapshotRemoval.Report) {
        self = .object([
            "id": .string(report.id.description),
            "freed_bytes": .count(report.freedByteCount),
        ])
    }

    /// A lock: who is at work on what.
    public init(_ lock: RepositoryLock) {
        self = .object([
            "operation": .string(lock.claim.operation.rawValue),
            "host": .string(lock.hostName),
            "pid": .count(UInt64(lock.processID)),
            "since": .date(lock.since),
            "held": .bool(lock.isHeld),
            "deployment": .optional(lock.claim.namespaces?.deployment.description),
            "uses": .array(lock.claim.uses.sorted().map { .string($0.description) }),
            "removes": .array(lock.claim.removes.sorted().map { .string($0.description) }),
        ])
    }
}
