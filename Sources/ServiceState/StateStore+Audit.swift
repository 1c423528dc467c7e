internal import GRDB

/// The audit log: who did what, in a chain of hashes.
///
/// Each entry's hash covers all its fields and the hash of the entry before (`AuditEncoding`), so
/// that the last one, the head, stands for the whole log. The database refuses to change or remove
/// entries. `verifyAudit` finds, after the fact, entries that were changed, removed, put in or put
/// in another order by going around that; as the head is kept in a table of its own and in the file
/// `audit.head`, it finds that entries are missing at the end.
///
/// Whoever may write to all of the folder can still make a whole new log, or cut the end off and
/// write both heads anew: no hash without a secret prevents that. So note `auditHead()` elsewhere
/// now and then, in another system's log or on paper; `verifyAudit(noted:)` compares.
extension StateStore {
    private static let listName = "audit"

    /// Writes an entry at the end of the log.
    ///
    /// - Returns: the entry as it stands there.
    /// - Throws: `StateError`: `.invalidValue` for a text that is too long or holds a NUL;
    ///   `.damaged` when the log was cut or its head is gone. After a failure of the file
    ///   `audit.head` the entry stands in the database nevertheless.
    ///
    /// - Parameter opening: the entry of `beginAudit` whose outcome this one tells; nil for none.
    @discardableResult
    public func appendAudit(
        _ event: AuditEvent, closing opening: Int64? = nil
    ) async throws -> AuditEntry {
        let appended = try await append(event) { database, _ in
            guard let opening else { return }
            try database.execute(
                sql: "DELETE FROM audit_open WHERE sequence = ?", arguments: [opening])
        }
        // What came of something is not written twice because of the other file: the next entry,
        // or the next opening, makes up for it.
        if opening == nil, let failure = appended.headFailure { throw failure }
        return appended.entry
    }

    /// Writes down what is about to be done, before it is. `appendAudit(_:closing:)` tells what
    /// came of it; when no process lives to do so, `closeOpenAudits` says that nobody knows.
    ///
    /// - Returns: the entry as it stands there. Where the file `audit.head` could not be written
    ///   it must not be done, and the entry wants an outcome that says so.
    /// - Throws: as `appendAudit`, but for failures of that file; then it must not be done.
    public func beginAudit(_ event: AuditEvent) async throws -> AppendedAudit {
        try await append(event) { database, entry in
            try database.execute(
                sql: "INSERT INTO audit_open (sequence) VALUES (?)", arguments: [entry.sequence])
        }
    }

    /// An entry that stands in the log.
    public struct AppendedAudit: Sendable {
        /// The entry.
        public let entry: AuditEntry
        /// Why the file `audit.head` could not be written; nil when it was.
        public let headFailure: StateError?
    }

    /// Ends entries of `beginAudit` that a process has left without an outcome when it died: each
    /// gets one of the outcome `unknown`. To be called once after opening.
    ///
    /// - Returns: the new entries, oldest first.
    /// - Throws: `StateError`.
    @discardableResult
    public func closeOpenAudits(at instant: Int64) async throws -> [AuditEntry] {
        var closed: [AuditEntry] = []
        for opened in try await openAudits() {
            var event = opened.event
            event.at = instant
            event.outcome = .unknown
            event.status = nil
            event.details = "{\"code\":\"interrupted\",\"intent\":\(opened.sequence)}"
            closed.append(try await appendAudit(event, closing: opened.sequence))
        }
        return closed
    }

    /// Entries of `beginAudit` whose outcome is not written down yet, oldest first.
    public func openAudits() async throws -> [AuditEntry] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT \(AuditEntry.columns) FROM audit_log
                    WHERE sequence IN (SELECT sequence FROM audit_open) ORDER BY sequence
                    """
            ).map(AuditEntry.init)
        }
    }

    private func append(
        _ event: AuditEvent, _ change: @escaping @Sendable (Database, AuditEntry) throws -> Void
    ) async throws -> AppendedAudit {
        try await write { database in
            let previous = try AuditHead.fetch(database)
            let entry = try AuditEntry.insert(event, behind: previous, database)
            try change(database, entry)
            return (previous, entry)
        } then: { [headFile] previous, entry in
            do {
                try headFile.advance(from: previous, to: entry.head)
                return AppendedAudit(entry: entry, headFailure: nil)
            } catch let error as StateError {
                return AppendedAudit(entry: entry, headFailure: error)
            }
        }
    }

    /// Changes the database and writes entries about it, all or nothing. That the file `audit.head`
    /// can't be written is made up for by the next entry, or the next opening.
    func write<Value: Sendable>(
        auditing body: @escaping @Sendable (Database) throws -> (Value, [AuditEvent])
    ) async throws -> Value {
        try await write { database in
            let (value, events) = try body(database)
            guard !events.isEmpty else { return (value, AuditHead.empty, AuditHead.empty) }
            let previous = try AuditHead.fetch(database)
            let head = try events.reduce(previous) { head, event in
                try AuditEntry.insert(event, behind: head, database).head
            }
            return (value, previous, head)
        } then: { [headFile] value, previous, head in
            if head != previous {
                do { try headFile.advance(from: previous, to: head) } catch {}
            }
            return value
        }
    }

    /// The log's head, as the database has it: to be noted elsewhere.
    public func auditHead() async throws -> AuditHead {
        try await read(AuditHead.fetch)
    }

    /// Writes the file `audit.head` anew, after somebody has looked into why it did not fit the
    /// log: an older state was put back on purpose, for example. The log says so, by an entry.
    @discardableResult
    public func resealAuditHead(_ event: AuditEvent) async throws -> AuditEntry {
        try await write { database in
            try AuditEntry.insert(event, behind: AuditHead.fetch(database), database)
        } then: { [headFile] entry in
            try headFile.reset(to: entry.head)
            return entry
        }
    }

    /// Entries that match a filter, newest first.
    ///
    /// - Parameters:
    ///   - cursor: the `nextCursor` of the page before; nil for the first page.
    ///   - limit: from 1 to `StateLimits.pageCountMax`; beyond it, the nearest of them.
    /// - Throws: `StateError(.invalidCursor)`.
    public func auditEntries(
        _ filter: AuditFilter = AuditFilter(), after cursor: String? = nil, limit: Int = 50
    ) async throws -> AuditPage {
        let count = StateLimits.pageCount(limit)
        let start = try cursor.map { try PageCursor(parsing: $0, of: Self.listName) }
        var all = QueryConditions()
        try all.require("subject", equals: filter.subject)
        try all.require("action", equals: filter.action)
        try all.require("resource", equals: filter.resource)
        try all.require("outcome", equals: filter.outcome?.rawValue)
        all.require("at", from: filter.since, before: filter.until)
        var page = all
        if let start { page.add("sequence < ?", [start.number]) }
        return try await read { [all, page] database in
            let total = try Int.fetchOne(
                database, sql: "SELECT COUNT(*) FROM audit_log \(all.sql)",
                arguments: all.arguments)
            let entries = try Row.fetchAll(
                database,
                sql: """
                    SELECT \(AuditEntry.columns) FROM audit_log \(page.sql)
                    ORDER BY sequence DESC LIMIT \(count + 1)
                    """, arguments: page.arguments
            ).map(AuditEntry.init)
            let shown = Array(entries.prefix(count))
            let last = entries.count > count ? shown.last : nil
            return AuditPage(
                entries: shown,
                nextCursor: last.map { PageCursor(number: $0.sequence).text(of: Self.listName) },
                totalCount: total ?? 0)
        }
    }
}

extension AuditEntry {
    /// All columns of the table, in the order of the hash's fields.
    static let columns =
        "sequence, at, subject, role, address, request_id, action, resource, outcome, status, "
        + "details, previous_hash, hash"

    /// The log's head when this is its last entry.
    fileprivate var head: AuditHead { AuditHead(count: sequence, hash: hash) }

    /// The entry that a row holds.
    ///
    /// - Throws: what GRDB says of values of another type.
    fileprivate init(_ row: Row) throws {
        self.init(
            sequence: try row.decode(forColumn: "sequence"),
            event: AuditEvent(
                at: try row.decode(forColumn: "at"), subject: try row.decode(forColumn: "subject"),
                role: try row.decode(forColumn: "role"),
                address: try row.decode(forColumn: "address"),
                requestID: try row.decode(forColumn: "request_id"),
                action: try row.decode(forColumn: "action"),
                resource: try row.decode(forColumn: "resource"),
                outcome: AuditOutcome(rawValue: try row.decode(forColumn: "outcome")),
                status: try row.decode(forColumn: "status"),
                details: try row.decode(forColumn: "details")),
            previousHash: try row.decode(forColumn: "previous_hash"),
            hash: try row.decode(forColumn: "hash"))
    }

    /// Writes an entry and the database's own head.
    fileprivate static func insert(
        _ event: AuditEvent, behind previous: AuditHead, _ database: Database
    ) throws -> AuditEntry {
        let sequence = previous.count + 1
        let hash = AuditEncoding.hash(sequence: sequence, event, previousHash: previous.hash)
        let marks = String(repeating: "?, ", count: 12) + "?"
        try database.execute(
            sql: "INSERT INTO audit_log (\(columns)) VALUES (\(marks))",
            arguments: [
                sequence, event.at, try storable(event.subject, as: "subject"),
                try storable(event.role, as: "role"), try storable(event.address, as: "address"),
                try storable(event.requestID, as: "requestID"),
                try storable(event.action, as: "action"),
                try storable(event.resource, as: "resource"),
                try storable(event.outcome.rawValue, as: "outcome"), event.status,
                try storable(event.details, as: "details"), previous.hash, hash,
            ])
        try database.execute(
            sql: "UPDATE audit_head SET count = ?, hash = ?", arguments: [sequence, hash])
        return AuditEntry(
            sequence: sequence, event: event, previousHash: previous.hash, hash: hash)
    }
}
