internal import GRDB

extension JobRecord {
    /// All columns of the table, in the order in which `arguments` has their values.
    static let columns =
        "id, kind, status, created_by, created_at, started_at, finished_at, request, snapshot_id, "
        + "progress, result, error, resumes, is_resumable, request_id, address, role, "
        + "resumed_by"

    /// The job that a row holds.
    ///
    /// - Throws: `StateError(.damaged)` and what GRDB says of values of another type.
    init(_ row: Row) throws {
        let status: String = try row.decode(forColumn: "status")
        guard let status = JobStatus(rawValue: status) else {
            throw StateError(.damaged, "a job has the status \"\(status)\"")
        }
        self.init(
            id: try row.decode(forColumn: "id"), kind: try row.decode(forColumn: "kind"),
            status: status, createdBy: try row.decode(forColumn: "created_by"),
            createdAt: try row.decode(forColumn: "created_at"),
            startedAt: try row.decode(forColumn: "started_at"),
            finishedAt: try row.decode(forColumn: "finished_at"),
            request: try row.decode(forColumn: "request"),
            snapshotID: try row.decode(forColumn: "snapshot_id"),
            progress: try row.decode(forColumn: "progress"),
            result: try row.decode(forColumn: "result"),
            error: try row.decode(forColumn: "error"),
            resumes: try row.decode(forColumn: "resumes"),
            isResumable: try row.decode(forColumn: "is_resumable"),
            requestID: try row.decode(forColumn: "request_id"),
            address: try row.decode(forColumn: "address"),
            role: try row.decode(forColumn: "role"),
            resumedBy: try row.decode(forColumn: "resumed_by"))
    }

    /// The values of `columns`, in their order.
    ///
    /// - Throws: `StateError(.invalidValue)`.
    func arguments() throws -> StatementArguments {
        [
            try storable(id, as: "id"), try storable(kind, as: "kind"), status.rawValue,
            try storable(createdBy, as: "createdBy"), createdAt, startedAt, finishedAt,
            try storable(request, as: "request"), try storable(snapshotID, as: "snapshotID"),
            try storable(progress, as: "progress"), try storable(result, as: "result"),
            try storable(error, as: "error"), try storable(resumes, as: "resumes"), isResumable,
            try storable(requestID, as: "requestID"), try storable(address, as: "address"),
            try storable(role, as: "role"), try storable(resumedBy, as: "resumedBy"),
        ]
    }

    /// The job of an id.
    ///
    /// - Throws: `StateError(.notFound)`.
    static func fetch(_ id: String, _ database: Database) throws -> JobRecord {
        guard let job = try find(id, database) else {
            throw StateError(.notFound, "there is no job \"\(id)\"")
        }
        return job
    }

    /// The job of an id, or nil.
    static func find(_ id: String, _ database: Database) throws -> JobRecord? {
        try Row.fetchOne(
            database, sql: "SELECT \(columns) FROM jobs WHERE id = ?",
            arguments: [try storable(id, as: "id")]
        ).map(JobRecord.init)
    }

    /// The jobs that a query finds; `clause` is what follows the table's name.
    static func fetchAll(
        _ clause: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [JobRecord] {
        try Row.fetchAll(
            database, sql: "SELECT \(columns) FROM jobs \(clause)", arguments: arguments
        ).map(JobRecord.init)
    }
}
