import Foundation
import GRDB
import Testing

@testable import ServiceState

@Suite struct AuditTests {
    private let folder = TemporaryFolder()
    private let store: StateStore

    init() async throws {
        store = try await StateStore(folder: folder.path)
    }

    /// The hash was made by a few lines of Python, from the table in `AuditEncoding`'s description.
    @Test func theHashIsThatOfTheSpecification() async throws {
        let first = try await store.appendAudit(
            AuditEvent(
                at: 1_700_000_000_000, subject: "ann", role: nil, address: "::1", requestID: "",
                action: "backup.restore", resource: "ü", outcome: .denied, status: 403,
                details: "{}"))
        #expect(first.previousHash == String(repeating: "0", count: 64))
        #expect(
            first.hash == "9bbc8d0daf45f906bb6cc504f8afb153437750f64576a1bd8fc04aa617483581")
        let second = try await store.appendAudit(.made(2))
        #expect(second.previousHash == first.hash)
        #expect(try await store.auditHead() == AuditHead(count: 2, hash: second.hash))
    }

    @Test func entriesAreReadAsTheyWereWritten() async throws {
        let entries = try await append(3)
        let page = try await store.auditEntries()
        #expect(page.entries == entries.reversed())
        #expect(page.totalCount == 3 && page.nextCursor == nil)
    }

    @Test func anEmptyLogIsWhole() async throws {
        let verification = try await store.verifyAudit()
        #expect(verification.isWhole && verification.head == .empty)
    }

    @Test func theDatabaseRefusesToChangeTheLog() async throws {
        _ = try await append(2)
        let statements = [
            "UPDATE audit_log SET subject = 'ben' WHERE sequence = 1",
            "DELETE FROM audit_log WHERE sequence = 2", "DELETE FROM audit_log",
            "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE sequence = 2",
            "UPDATE audit_head SET count = 1", "UPDATE audit_head SET count = 4",
            "DELETE FROM audit_head",
        ]
        for statement in statements {
            let refused = await #expect(throws: StateError.self, "\(statement)") {
                try await store.write { try $0.execute(sql: statement) }
            }
            #expect(refused?.message.contains("the audit log") == true, "\(statement)")
        }
        #expect(try await store.verifyAudit().isWhole)
    }

    @Test func entriesOfManyTasksAreOneChain() async throws {
        let sequences = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<100 {
                group.addTask { try await store.appendAudit(.made(number)).sequence }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sequences.sorted() == Array(1...100))
        let verification = try await store.verifyAudit()
        #expect(verification.isWhole && verification.entryCount == 100)
        #expect(Set(try await store.auditEntries(limit: 100).entries.map(\.event)).count == 100)
    }

    @Test(arguments: [1, 3, 100])
    func pagesShowEachEntryOnce(limit: Int) async throws {
        let entries = try await append(7)
        var found: [AuditEntry] = []
        var cursor: String?
        repeat {
            let page = try await store.auditEntries(after: cursor, limit: limit)
            #expect(page.totalCount == 7)
            found += page.entries
            cursor = page.nextCursor
        } while cursor != nil
        #expect(found == entries.reversed())
    }

    @Test func filtersMustAllMatch() async throws {
        for number in 1...12 {
            var event = AuditEvent.made(number, subject: number < 7 ? "ann" : "ben")
            event.outcome = number == 4 ? .denied : .succeeded
            try await store.appendAudit(event)
        }
        func found(_ filter: AuditFilter) async throws -> [Int64] {
            let page = try await store.auditEntries(filter)
            #expect(page.totalCount == page.entries.count)
            return page.entries.map(\.sequence).reversed()
        }
        #expect(try await found(AuditFilter(subject: "ben")) == Array(7...12))
        #expect(try await found(AuditFilter(action: "backup.list")) == [1, 3, 5, 7, 9, 11])
        #expect(try await found(AuditFilter(resource: "snapshot-5")) == [5])
        #expect(try await found(AuditFilter(outcome: .denied)) == [4])
        #expect(try await found(AuditFilter(since: 1003, until: 1005)) == [3, 4])
        let filter = AuditFilter(subject: "ann", action: "backup.create", since: 1003)
        #expect(try await found(filter) == [4, 6])
    }

    @Test func aCursorOfJobsIsRefused() async throws {
        for id in ["a", "b"] { try await store.insertJob(.made(id)) }
        let cursor = try #require(try await store.jobs(limit: 1).nextCursor)
        let code = await codeThrown { _ = try await store.auditEntries(after: cursor) }
        #expect(code == .invalidCursor)
    }

    @Test func aTextThatWouldBeCutIsRefused() async throws {
        var event = AuditEvent.made(1)
        event.resource = "a\0b"
        let code = await codeThrown { try await store.appendAudit(event) }
        #expect(code == .invalidValue)
        #expect(try await store.auditHead() == .empty)
    }

    // MARK: Kills

    /// The process is killed behind the transaction and before the file is written.
    @Test func aFileThatIsBehindIsMadeUpFor() async throws {
        let entries = try await append(3)
        let stale = try Data(contentsOf: URL(filePath: folder.path + "/audit.head"))
        let more = try await append(2)
        let copy = try folder.copy()
        try stale.write(to: URL(filePath: copy.path + "/audit.head"))
        let reader = try await StateStore(folder: copy.path, isReadOnly: true)
        #expect(try await reader.verifyAudit().isWhole)
        let reopened = try await StateStore(folder: copy.path)
        #expect(try reopened.headFile.content() == .head(try await reopened.auditHead()))
        #expect(try await reopened.auditHead().hash == more.last?.hash)
        #expect(try await reopened.verifyAudit().entryCount == Int64(entries.count + more.count))
    }

    /// The process is killed within a transaction, whose first pages have been written.
    @Test func whatWasNotCommittedWasNotThere() async throws {
        _ = try await append(3)
        let copy = try await store.write { [folder] database in
            try database.execute(sql: "PRAGMA cache_size = 1; PRAGMA cache_spill = 1")
            for number in 0..<500 {
                try database.execute(
                    sql: "INSERT INTO audit_log SELECT ? + 4, 1, ?, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1",
                    arguments: [number, String(repeating: "x", count: 1000)])
            }
            return try folder.copy()
        }
        let reopened = try await StateStore(folder: copy.path)
        let verification = try await reopened.verifyAudit()
        #expect(verification.isWhole && verification.entryCount == 3)
        try await reopened.appendAudit(.made(4))
        #expect(try await reopened.verifyAudit().isWhole)
    }

    /// Whatever was acknowledged is in a copy of the files, though nothing was closed.
    @Test func whatWasAcknowledgedIsThereAfterAKill() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await append(60) }
            for round in 0..<10 {
                try await store.insertJob(.made("\(round)"))
                let count = try await store.auditHead().count
                // Between two transactions: nothing is written while another one is open.
                let copy = try await store.write { [folder] _ in try folder.copy() }
                let reopened = try await StateStore(folder: copy.path)
                let verification = try await reopened.verifyAudit()
                #expect(verification.isWhole && verification.entryCount >= count)
                #expect(try await reopened.unfinishedJobs().count == round + 1)
                reopened.close()
            }
            try await group.waitForAll()
        }
    }

    @discardableResult
    private func append(_ count: Int) async throws -> [AuditEntry] {
        var entries: [AuditEntry] = []
        for number in 0..<count { entries.append(try await store.appendAudit(.made(number))) }
        return entries
    }
}
