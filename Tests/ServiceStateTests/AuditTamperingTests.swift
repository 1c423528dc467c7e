import Foundation
import GRDB
import Testing

@testable import ServiceState

/// What somebody can do to the log who can write to the database, and what a verification says.
@Suite struct AuditTamperingTests {
    /// Statements that change the log, and the first defect; entries are numbered from 1 to 6.
    struct Tampering: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let statements: String
        let code: AuditDefect.Code
        let sequence: Int64

        init(
            _ description: String, _ statements: String, _ code: AuditDefect.Code,
            at sequence: Int64
        ) {
            testDescription = description
            self.statements = statements
            self.code = code
            self.sequence = sequence
        }
    }

    static let changes = [
        "at = at + 1", "subject = 'ben'", "role = 'super_admin'", "role = NULL", "role = ''",
        "address = 'x'", "request_id = NULL", "action = 'x'", "resource = 'x'",
        "outcome = 'denied'", "status = 203", "status = NULL", "details = NULL", "details = ''",
        "hash = replace(hash, substr(hash, 1, 1), 'x')", "hash = upper(hash) || ' '",
        // A text's end that is not shown, and bytes that are shown as other ones.
        "subject = CAST(CAST(subject AS BLOB) || x'0062' AS TEXT)",
        "subject = CAST(CAST(subject AS BLOB) || x'FF' AS TEXT)",
        // The boundary of two fields.
        "subject = 'annadmi', role = 'n'",
    ].map { Tampering($0, "UPDATE audit_log SET \($0) WHERE sequence = 4", .changed, at: 4) }

    static let others = [
        Tampering(
            "first removed", "DELETE FROM audit_log WHERE sequence = 1", .missing, at: 1),
        Tampering(
            "middle removed", "DELETE FROM audit_log WHERE sequence = 3", .missing, at: 3),
        Tampering(
            "several removed", "DELETE FROM audit_log WHERE sequence IN (3, 4)", .missing, at: 3),
        Tampering(
            "removed and the rest moved up",
            """
            DELETE FROM audit_log WHERE sequence = 3;
            UPDATE audit_log SET sequence = sequence - 1 WHERE sequence > 3
            """, .unlinked, at: 3),
        Tampering(
            "two exchanged",
            """
            UPDATE audit_log SET sequence = 100 WHERE sequence = 3;
            UPDATE audit_log SET sequence = 3 WHERE sequence = 4;
            UPDATE audit_log SET sequence = 4 WHERE sequence = 100
            """, .unlinked, at: 3),
        Tampering(
            "put in before the first", copy(of: 1, to: 0), .inserted, at: 1),
        Tampering("put in at the end", copy(of: 6, to: 7), .unlinked, at: 7),
        Tampering("put in far behind the end", copy(of: 6, to: 70), .missing, at: 7),
        Tampering(
            "put in in the middle",
            """
            UPDATE audit_log SET sequence = -sequence WHERE sequence > 3;
            UPDATE audit_log SET sequence = 1 - sequence WHERE sequence < 0;
            \(copy(of: 3, to: 4))
            """, .unlinked, at: 4),
        Tampering("last removed", "DELETE FROM audit_log WHERE sequence = 6", .truncated, at: 6),
        Tampering("all removed", "DELETE FROM audit_log", .truncated, at: 1),
        Tampering(
            "last removed, and the database's head put right",
            """
            DELETE FROM audit_log WHERE sequence = 6;
            UPDATE audit_head SET count = 5, hash = (SELECT MAX(hash) FROM audit_log
                WHERE sequence = 5)
            """, .truncated, at: 6),
        Tampering(
            "all removed, and the database's head put right",
            """
            DELETE FROM audit_log;
            UPDATE audit_head SET count = 0, hash = '\(AuditHead.empty.hash)'
            """, .truncated, at: 1),
        Tampering("the database's head removed", "DELETE FROM audit_head", .headUnreadable, at: 6),
        Tampering(
            "the database's head changed", "UPDATE audit_head SET hash = 'x'", .replaced, at: 6),
        Tampering(
            "the database's head set back", "UPDATE audit_head SET count = 5", .inserted, at: 6),
        Tampering(
            "a table that takes anything",
            """
            CREATE TABLE loose AS SELECT * FROM audit_log;
            DROP TABLE audit_log; ALTER TABLE loose RENAME TO audit_log;
            INSERT INTO audit_log SELECT * FROM audit_log WHERE sequence = 2
            """, .inserted, at: 3),
        Tampering(
            "a sequence that is no number",
            """
            CREATE TABLE loose AS SELECT * FROM audit_log;
            DROP TABLE audit_log; ALTER TABLE loose RENAME TO audit_log;
            UPDATE audit_log SET sequence = 'x' WHERE sequence = 6
            """, .inserted, at: 6),
    ]

    private let folder = TemporaryFolder()

    @Test(arguments: changes + others)
    func tamperingIsFound(_ tampering: Tampering) async throws {
        try await makeLog()
        try alter(tampering.statements)
        let reader = try await StateStore(folder: folder.path, isReadOnly: true)
        let verification = try await reader.verifyAudit()
        #expect(verification.firstDefect?.code == tampering.code, "\(verification)")
        #expect(verification.firstDefect?.sequence == tampering.sequence, "\(verification)")
        reader.close()
        // A service that opens it and goes on does not cover it up.
        let store = try await StateStore(folder: folder.path)
        do { try await store.appendAudit(.made(9)) } catch let error as StateError {
            #expect(error.code == .damaged)
        }
        #expect(try await !store.verifyAudit().isWhole)
        store.close()
        let again = try await StateStore(folder: folder.path)
        #expect(try await !again.verifyAudit().isWhole)
    }

    /// The canary: what changes nothing is no defect.
    @Test func anUntouchedLogIsWhole() async throws {
        try await makeLog()
        try alter("UPDATE audit_log SET subject = subject; UPDATE audit_head SET count = count")
        let store = try await StateStore(folder: folder.path)
        #expect(try await store.verifyAudit().isWhole)
        try await store.appendAudit(.made(9))
        #expect(try await store.verifyAudit().entryCount == 7)
        #expect(try await store.verifyAudit().isWhole)
    }

    /// An entry is changed together with its hash.
    @Test(arguments: [1, 3, 6])
    func aHashThatWasMadeAnewIsFound(sequence: Int64) async throws {
        let entries = try await makeLog()
        let entry = entries[Int(sequence) - 1]
        var event = entry.event
        event.subject = "ben"
        let hash = AuditEncoding.hash(
            sequence: sequence, event, previousHash: entry.previousHash)
        try alter(
            """
            UPDATE audit_log SET subject = 'ben', hash = '\(hash)' WHERE sequence = \(sequence)
            """)
        let store = try await StateStore(folder: folder.path)
        let defect = try await store.verifyAudit().firstDefect
        #expect(defect?.code == (sequence == 6 ? .replaced : .unlinked))
        #expect(defect?.sequence == min(sequence + 1, 6))
    }

    /// All hashes from an entry on are made anew, and the database's head; not the file.
    @Test func aChainThatWasMadeAnewIsFoundByTheFile() async throws {
        let entries = try await makeLog()
        let noted = AuditHead(count: 4, hash: entries[3].hash)
        let elsewhere = try await forge(entries)
        let store = try await StateStore(folder: folder.path)
        var defect = try await store.verifyAudit().firstDefect
        #expect(defect?.code == .replaced && defect?.sequence == 6)
        store.close()
        // With the file made anew as well, only what was noted elsewhere tells.
        try FileManager.default.removeItem(atPath: folder.path + "/audit.head")
        try FileManager.default.copyItem(
            atPath: elsewhere.path + "/audit.head", toPath: folder.path + "/audit.head")
        let again = try await StateStore(folder: folder.path)
        #expect(try await again.verifyAudit().isWhole)
        defect = try await again.verifyAudit(noted: noted).firstDefect
        #expect(defect?.code == .replaced && defect?.sequence == 4)
    }

    @Test func aNotedHeadMustBePartOfTheLog() async throws {
        let entries = try await makeLog()
        let store = try await StateStore(folder: folder.path)
        for entry in entries {
            let noted = AuditHead(count: entry.sequence, hash: entry.hash)
            #expect(try await store.verifyAudit(noted: noted).isWhole)
        }
        #expect(try await store.verifyAudit(noted: .empty).isWhole)
        for count in [-1, 0, 3, 7] as [Int64] {
            let noted = AuditHead(count: count, hash: entries[1].hash)
            #expect(try await !store.verifyAudit(noted: noted).isWhole, "\(count)")
        }
    }

    // MARK: The file

    @Test(arguments: [nil, "", "garbage", "cairn-audit-head 1 5 abc 12345678\n"])
    func aFileThatIsGoneOrUnreadableIsFound(content: String?) async throws {
        try await makeLog()
        let path = folder.path + "/audit.head"
        try FileManager.default.removeItem(atPath: path)
        if let content { try Data(content.utf8).write(to: URL(filePath: path)) }
        for _ in 0..<2 {
            let store = try await StateStore(folder: folder.path)
            #expect(try await store.verifyAudit().firstDefect?.code == .headUnreadable)
            try await store.appendAudit(.made(9))
            #expect(try await store.verifyAudit().firstDefect?.code == .headUnreadable)
            store.close()
        }
    }

    @Test func aLineThatWasCutShortIsMadeUpForByTheOther() async throws {
        let entries = try await makeLog()
        let path = folder.path + "/audit.head"
        let bytes = try Data(contentsOf: URL(filePath: path))
        #expect(bytes.count == 256)
        for line in 0..<2 {
            var torn = bytes
            for position in 40..<60 { torn[line * 128 + position] = UInt8(ascii: "0") }
            try torn.write(to: URL(filePath: path))
            let reader = try await StateStore(folder: folder.path, isReadOnly: true)
            let count: Int64 = line == 0 ? 5 : 6
            let head = AuditHead(count: count, hash: entries[Int(count) - 1].hash)
            #expect(try reader.headFile.content() == .head(head))
            #expect(try await reader.verifyAudit().isWhole)
        }
    }

    /// Somebody has put an older state back on purpose and says so.
    @Test func aSealIsMadeAnewWhenAskedFor() async throws {
        try await makeLog()
        try alter(
            Self.others.first { $0.testDescription.hasPrefix("last removed, and") }?.statements
                ?? "")
        let store = try await StateStore(folder: folder.path)
        #expect(try await store.verifyAudit().firstDefect?.code == .truncated)
        var event = AuditEvent.made(1)
        event.action = "audit.reseal"
        #expect(try await store.resealAuditHead(event).sequence == 6)
        #expect(try await store.verifyAudit().isWhole)
        try await store.appendAudit(.made(2))
        #expect(try await store.verifyAudit().entryCount == 7)
        store.close()
        let again = try await StateStore(folder: folder.path)
        #expect(try await again.verifyAudit().isWhole)
    }

    // MARK: Helpers

    /// Six entries, and nobody who has the folder open.
    @discardableResult
    private func makeLog() async throws -> [AuditEntry] {
        let store = try await StateStore(folder: folder.path)
        var entries: [AuditEntry] = []
        for number in 1...6 { entries.append(try await store.appendAudit(.made(number))) }
        #expect(try await store.verifyAudit().isWhole)
        store.close()
        return entries
    }

    /// Changes the database as nobody should.
    private func alter(_ statements: String) throws {
        try folder.withDatabase { database in
            let triggers = try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for trigger in triggers { try database.execute(sql: "DROP TRIGGER \(trigger)") }
            try database.execute(sql: statements)
        }
    }

    /// Writes another log of as many entries, whole in itself, into the database.
    ///
    /// - Returns: the folder that the log was made in.
    private func forge(_ entries: [AuditEntry]) async throws -> TemporaryFolder {
        let elsewhere = TemporaryFolder()
        let store = try await StateStore(folder: elsewhere.path)
        for entry in entries {
            var event = entry.event
            if entry.sequence == 3 { event.subject = "ben" }
            try await store.appendAudit(event)
        }
        store.close()
        try alter(
            """
            ATTACH '\(elsewhere.path)/state.sqlite' AS forged;
            DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM forged.audit_log;
            DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM forged.audit_head;
            DETACH forged
            """)
        return elsewhere
    }

    private static func copy(of sequence: Int, to place: Int) -> String {
        """
        INSERT INTO audit_log SELECT \(place), at, subject, role, address, request_id, action,
        resource, outcome, status, details, previous_hash, hash
        FROM audit_log WHERE sequence = \(sequence)
        """
    }
}
