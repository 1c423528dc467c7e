internal import FoundationEssentials
internal import GRDB

extension StateStore {
    /// Reads the whole audit log and proves that it is as it was written, as far as that can be
    /// proven: see the log's own description. Works beside a service that goes on writing, by a
    /// store that was opened for reading only. Ends early when the task is cancelled.
    ///
    /// - Parameter noted: a head that was noted elsewhere, which must be part of the log.
    /// - Throws: `StateError` when the log can't be read; a defect is no error.
    public func verifyAudit(noted: AuditHead? = nil) async throws -> AuditVerification {
        // Before the database: the log may grow in between, and never is behind the file.
        let file = try await Self.onThread(in: folder) { [headFile] in try headFile.content() }
        return try await readCancellably { database in
            var check = AuditChainCheck(file: file, noted: noted)
            let rows = try Row.fetchCursor(database, sql: AuditChainCheck.query)
            while check.defect == nil, let row = try rows.next() { check.follow(row) }
            try check.finish(database)
            return AuditVerification(
                entryCount: check.head.count, head: check.head, firstDefect: check.defect)
        }
    }
}

/// Follows the chain of hashes from the first entry on, up to the first defect.
private struct AuditChainCheck {
    /// Texts as bytes: what a text hides behind a NUL, and what is not UTF-8, counts as well.
    static let query = """
        SELECT sequence, at, CAST(subject AS BLOB), CAST(role AS BLOB), CAST(address AS BLOB),
        CAST(request_id AS BLOB), CAST(action AS BLOB), CAST(resource AS BLOB),
        CAST(outcome AS BLOB), status, CAST(details AS BLOB), CAST(previous_hash AS BLOB),
        CAST(hash AS BLOB) FROM audit_log ORDER BY sequence
        """
    private static let previousHashColumn = 11
    private static let hashColumn = 12

    /// The head of the entries that are whole.
    private(set) var head = AuditHead.empty
    private(set) var defect: AuditDefect?
    private let file: AuditHeadFile.Content
    private let noted: AuditHead?

    /// Begins before the first entry; `file` was read before the database is.
    init(file: AuditHeadFile.Content, noted: AuditHead?) {
        self.file = file
        self.noted = noted
    }

    private var fileHead: AuditHead? {
        if case .head(let head) = file { head } else { nil }
    }

    /// Checks the next row.
    mutating func follow(_ row: Row) {
        let expected = head.count + 1
        guard case .int64(let sequence) = Self.storage(row, 0), sequence >= expected else {
            return fail(.inserted, expected, "an entry was put in before it")
        }
        guard sequence == expected else {
            return fail(.missing, expected, "it is missing; the next one is \(sequence)")
        }
        guard Self.text(row, Self.previousHashColumn) == head.hash else {
            return fail(.unlinked, expected, "it does not follow the entry before")
        }
        guard let hash = Self.text(row, Self.hashColumn), hash == Self.computedHash(row) else {
            return fail(.changed, expected, "it is not what its hash says")
        }
        let next = AuditHead(count: expected, hash: hash)
        for (known, source) in [(fileHead, "the file audit.head"), (noted, "the noted head")] {
            if let known, known.count == expected, known != next {
                return fail(.replaced, expected, "it is not the one that \(source) names")
            }
        }
        head = next
    }

    /// Compares the end with the heads.
    mutating func finish(_ database: Database) throws {
        guard defect == nil else { return }
        let row = try Row.fetchOne(
            database, sql: "SELECT count, CAST(hash AS BLOB) FROM audit_head WHERE id = 1")
        guard let row, case .int64(let count) = Self.storage(row, 0),
            let hash = Self.text(row, 1)
        else { return fail(.headUnreadable, head.count, "the database's own head is gone") }
        compare(AuditHead(count: count, hash: hash), "the database's own head", isExact: true)
        switch file {
        case .head(let known): compare(known, "the file audit.head", isExact: false)
        case .missing: fail(.headUnreadable, head.count, "the file audit.head is missing")
        case .unreadable: fail(.headUnreadable, head.count, "the file audit.head is unreadable")
        }
        if let noted { compare(noted, "the noted head", isExact: false) }
    }

    /// What a head within the log names was compared when its entry was read.
    private mutating func compare(_ known: AuditHead, _ source: String, isExact: Bool) {
        let next = head.count + 1
        if known.count > head.count {
            fail(.truncated, next, "it is missing; \(source) counts \(known.count) entries")
        } else if known.count <= 0, known != .empty {
            fail(.replaced, known.count, "\(source) names an entry that can't be")
        } else if isExact, known.count < head.count {
            fail(.inserted, known.count + 1, "\(source) counts \(known.count) entries only")
        } else if isExact, known != head {
            fail(.replaced, head.count, "it is not the one that \(source) names")
        }
    }

    /// The first defect is kept.
    private mutating func fail(_ code: AuditDefect.Code, _ sequence: Int64, _ message: String) {
        defect = defect ?? AuditDefect(code: code, sequence: sequence, message: message)
    }

    /// The hash that a row should have, as `AuditEncoding.hash` makes it of an entry.
    private static func computedHash(_ row: Row) -> String {
        var encoding = AuditEncoding()
        for column in 0..<hashColumn {
            switch storage(row, column) {
            case .int64(let value): encoding.add(value)
            case .blob(let bytes): encoding.add(text: bytes)
            // Nothing that was written has another type.
            case .double, .string, .null: encoding.add(nil)
            }
        }
        return encoding.hash
    }

    private static func storage(_ row: Row, _ column: Int) -> DatabaseValue.Storage {
        (row[column] as DatabaseValue).storage
    }

    private static func text(_ row: Row, _ column: Int) -> String? {
        guard case .blob(let bytes) = storage(row, column) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
