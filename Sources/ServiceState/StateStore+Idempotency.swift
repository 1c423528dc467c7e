internal import FoundationEssentials
internal import GRDB

/// Idempotency keys: a request that is repeated is answered as before instead of being done again.
///
/// A request claims its key, does its work, and completes the key with its answer. What must not
/// be done twice is a job, whose record and link to the key are one transaction (`insertJob`). So
/// whatever a dead process has left is clear:
///
/// - a key with an answer gives that answer;
/// - a key with a job and no answer gives the job, which is what the answer would have named;
/// - a key with neither stood for a request that had made no job. It is given up at the next
///   opening, so that the client's next try is carried out. What a request does besides making a
///   job must therefore bear repetition, as a deletion or a replacement does.
extension StateStore {
    /// Claims a key for a request. A key is forgotten a day after it was claimed, unless the
    /// request is still being answered.
    ///
    /// - Parameter fingerprint: a hash of the request's method, path and body.
    /// - Throws: `StateError(.invalidValue)` for a key that is too long or holds a NUL.
    public func claim(
        key: String, subject: String, fingerprint: String, now: Int64
    ) async throws -> IdempotencyClaim {
        try await write { database in
            try Self.removeExpiredKeys(database, now: now)
            let key = IdempotencyKey(key: key, subject: subject)
            guard let row = try key.find(database) else {
                try database.execute(
                    sql: """
                        INSERT INTO idempotency_keys (subject, key, fingerprint, claimed_at)
                        VALUES (?, ?, ?, ?)
                        """,
                    arguments: [
                        subject, key.key, try storable(fingerprint, as: "fingerprint"), now,
                    ])
                return .new
            }
            guard try row.decode(String.self, forColumn: "fingerprint") == fingerprint else {
                return .mismatch
            }
            if let response = try StoredResponse(row) { return .replay(response) }
            let jobID: String? = try row.decode(forColumn: "job_id")
            return jobID.map { .job($0) } ?? .inProgress
        }
    }

    /// Keeps the answer to the request that claimed the key.
    ///
    /// - Throws: `StateError`: `.notFound` when the key is not claimed, `.invalidTransition` when
    ///   it has an answer, `.invalidValue` for a body that is too long.
    public func complete(
        key: String, subject: String, response: StoredResponse
    ) async throws {
        guard response.body.count <= StateLimits.responseByteCountMax else {
            throw StateError(
                .invalidValue,
                "the response is longer than \(StateLimits.responseByteCountMax) bytes")
        }
        let headers = String(
            decoding: try JSONEncoder().encode(response.headers.map { [$0.name, $0.value] }),
            as: UTF8.self)
        try await write { database in
            let key = IdempotencyKey(key: key, subject: subject)
            guard let row = try key.find(database) else { throw key.notClaimed }
            guard try StoredResponse(row) == nil else {
                throw StateError(.invalidTransition, "the idempotency key has an answer already")
            }
            try database.execute(
                sql: """
                    UPDATE idempotency_keys SET status = ?, headers = ?, body = ?
                    WHERE subject = ? AND key = ?
                    """,
                arguments: [
                    response.status, headers, Data(response.body), key.subject, key.key,
                ])
        }
    }

    /// Gives a claim up, because the request failed before it did anything: the next one with the
    /// key is new. A key that has a job or an answer keeps it, and one that is not claimed is none.
    public func release(key: String, subject: String) async throws {
        try await write { database in
            let key = IdempotencyKey(key: key, subject: subject)
            guard try key.find(database) != nil else { return }
            try database.execute(
                sql: """
                    DELETE FROM idempotency_keys
                    WHERE subject = ? AND key = ? AND job_id IS NULL AND status IS NULL
                    """,
                arguments: [key.subject, key.key])
        }
    }

    /// Forgets keys that were claimed a day ago or earlier; `claim` does so too.
    ///
    /// - Returns: how many.
    @discardableResult
    public func pruneIdempotencyKeys(now: Int64) async throws -> Int {
        try await write { database in
            try Self.removeExpiredKeys(database, now: now)
            return database.changesCount
        }
    }

    /// Gives up what a dead process has claimed without making a job or answering. Whoever holds
    /// the folder's lock knows that the process is dead.
    static func giveUpAbandonedClaims(_ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM idempotency_keys WHERE job_id IS NULL AND status IS NULL")
    }

    /// A claim of a request that is being answered stays: the answer will ask for it. One that was
    /// made more than a lifetime from now was made by a clock that was ahead, and would stay until
    /// that day.
    private static func removeExpiredKeys(_ database: Database, now: Int64) throws {
        let lifetime = StateLimits.idempotencyKeyLifetimeMilliseconds
        let oldest = now.subtractingReportingOverflow(lifetime)
        let newest = now.addingReportingOverflow(lifetime)
        try database.execute(
            sql: """
                DELETE FROM idempotency_keys WHERE (claimed_at <= ? OR claimed_at > ?)
                AND (job_id IS NOT NULL OR status IS NOT NULL)
                """,
            arguments: [
                oldest.overflow ? Int64.min : oldest.partialValue,
                newest.overflow ? Int64.max : newest.partialValue,
            ])
    }
}

extension IdempotencyKey {
    /// Links a claimed key to the job that was made for it.
    ///
    /// - Throws: `StateError(.notFound)` when the key is not claimed or has a job or an answer.
    func link(toJob id: String, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE idempotency_keys SET job_id = ?
                WHERE subject = ? AND key = ? AND job_id IS NULL AND status IS NULL
                """,
            arguments: [id, try storable(subject, as: "subject"), try storable(key, as: "key")])
        guard database.changesCount == 1 else { throw notClaimed }
    }

    /// What is said to whoever has not claimed it.
    fileprivate var notClaimed: StateError {
        StateError(.notFound, "the idempotency key is not claimed")
    }

    /// The key's row, or nil.
    fileprivate func find(_ database: Database) throws -> Row? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM idempotency_keys WHERE subject = ? AND key = ?",
            arguments: [try storable(subject, as: "subject"), try storable(key, as: "key")])
    }
}

extension StoredResponse {
    /// The answer that a key's row holds, or nil.
    fileprivate init?(_ row: Row) throws {
        guard let status = try row.decode(Int?.self, forColumn: "status") else { return nil }
        let headers = try JSONDecoder().decode(
            [[String]].self, from: Data(try row.decode(String.self, forColumn: "headers").utf8))
        guard headers.allSatisfy({ $0.count == 2 }) else {
            throw StateError(.damaged, "a response's headers are not pairs")
        }
        self.init(
            status: status, headers: headers.map { Header(name: $0[0], value: $0[1]) },
            body: [UInt8](try row.decode(Data.self, forColumn: "body")))
    }
}
