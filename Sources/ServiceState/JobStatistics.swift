internal import GRDB

/// Numbers about jobs, for metrics and overviews.
public struct JobStatistics: Hashable, Sendable {
    /// How many jobs of a kind have a status.
    public struct Count: Hashable, Sendable {
        /// The kind of job.
        public let kind: String
        /// How far they are.
        public let status: JobStatus
        /// How many.
        public let count: Int
    }

    /// Jobs that were made since the instant asked for, by kind and status; none with a count of 0.
    public let counts: [Count]
    /// When a job of each kind last succeeded, of all that are kept.
    public let lastSuccess: [String: Int64]
    /// When a job of each kind last failed, or failed in part, of all that are kept.
    public let lastFailure: [String: Int64]

    /// What came of the newest job of each kind that has ended.
    public let lastStatus: [String: JobStatus]

    /// The part of jobs of a kind, or of all, that succeeded, among those that did or failed, also
    /// in part; nil when there are none.
    public func successRate(ofKind kind: String? = nil) -> Double? {
        var succeeded = 0
        var ended = 0
        for count in counts where kind == nil || count.kind == kind {
            if count.status == .succeeded { succeeded += count.count }
            if count.status.isTerminal, count.status != .canceled { ended += count.count }
        }
        return ended == 0 ? nil : Double(succeeded) / Double(ended)
    }
}

extension StateStore {
    /// Numbers about jobs that were made since an instant.
    ///
    /// - Parameter now: jobs that have ended well after it were ended by a clock that was ahead,
    ///   and are not the last that succeeded or failed.
    public func jobStatistics(since instant: Int64, now: Int64 = .max) async throws -> JobStatistics
    {
        try await read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT kind, status, COUNT(*) AS count FROM jobs WHERE created_at >= ?
                    GROUP BY kind, status ORDER BY kind, status
                    """,
                arguments: [instant])
            return JobStatistics(
                counts: try rows.map { row in
                    let status: String = try row.decode(forColumn: "status")
                    guard let status = JobStatus(rawValue: status) else {
                        throw StateError(.damaged, "a job has the status \"\(status)\"")
                    }
                    return JobStatistics.Count(
                        kind: try row.decode(forColumn: "kind"), status: status,
                        count: try row.decode(forColumn: "count"))
                },
                lastSuccess: try Self.lastEnd(database, "status = 'SUCCEEDED'", now),
                lastFailure: try Self.lastEnd(
                    database, "status IN ('FAILED', 'PARTIALLY_FAILED')", now),
                lastStatus: try Self.lastStatus(database))
        }
    }

    /// By the order in which jobs were written down, whatever clocks said.
    private static func lastStatus(_ database: Database) throws -> [String: JobStatus] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT kind, status FROM jobs WHERE rowid IN (SELECT MAX(rowid) FROM jobs
                WHERE status NOT IN ('PENDING', 'IN_PROGRESS') GROUP BY kind)
                """)
        return try rows.reduce(into: [:]) { found, row in
            found[try row.decode(String.self, forColumn: "kind")] = JobStatus(
                rawValue: try row.decode(forColumn: "status"))
        }
    }

    private static func lastEnd(
        _ database: Database, _ condition: String, _ now: Int64
    ) throws -> [String: Int64] {
        let latest = now.addingReportingOverflow(StateLimits.futureMillisecondsMax)
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT kind, MAX(finished_at) AS last FROM jobs
                WHERE \(condition) AND finished_at <= ? GROUP BY kind
                """, arguments: [latest.overflow ? Int64.max : latest.partialValue])
        return try rows.reduce(into: [:]) { ends, row in
            ends[try row.decode(String.self, forColumn: "kind")] = try row.decode(forColumn: "last")
        }
    }
}
