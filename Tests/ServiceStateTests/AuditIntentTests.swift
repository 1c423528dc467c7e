import Foundation
import GRDB
import Testing

@testable import ServiceState

/// What is about to be done is written down before, and what came of it after.
@Suite struct AuditIntentTests {
    private static func event(_ outcome: AuditOutcome) -> AuditEvent {
        AuditEvent(
            at: 1, subject: "ann", action: "backup.delete", resource: "a", outcome: outcome)
    }

    @Test func anOutcomeClosesItsIntent() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        let first = try await store.beginAudit(Self.event(.allowed)).entry
        let second = try await store.beginAudit(Self.event(.allowed)).entry
        #expect(try await store.openAudits() == [first, second])
        try await store.appendAudit(Self.event(.succeeded), closing: first.sequence)
        #expect(try await store.openAudits() == [second])
        #expect(try await store.verifyAudit().isWhole)
    }

    @Test func whatNobodyHasEndedIsUnknownAtTheNextOpening() async throws {
        let folder = TemporaryFolder()
        var store = try await StateStore(folder: folder.path)
        let intent = try await store.beginAudit(Self.event(.allowed)).entry
        store.close()
        store = try await StateStore(folder: folder.path)
        let closed = try await store.closeOpenAudits(at: 7)
        #expect(closed.map(\.event.outcome) == [.unknown])
        #expect(closed.first?.event.at == 7)
        #expect(closed.first?.event.resource == "a")
        #expect(closed.first?.event.details?.contains("\(intent.sequence)") == true)
        #expect(try await store.closeOpenAudits(at: 8).isEmpty)
        #expect(try await store.verifyAudit().isWhole)
    }

    /// The entry stands, and says that it wants an outcome: nothing may be done.
    @Test func anIntentWithoutItsHeadIsAFailureAndCanBeEnded() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        _ = try await store.appendAudit(Self.event(.succeeded))
        try FileManager.default.removeItem(atPath: folder.path + "/audit.head")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/audit.head", withIntermediateDirectories: false)
        let begun = try await store.beginAudit(Self.event(.allowed))
        #expect(begun.headFailure != nil)
        try await store.appendAudit(Self.event(.failed), closing: begun.entry.sequence)
        #expect(try await store.openAudits().isEmpty)
        let outcomes = try await store.auditEntries().entries.map(\.event.outcome.rawValue)
        #expect(outcomes == ["failed", "allowed", "succeeded"])
    }

    /// A real refusal of SQLite's, as on a full disk.
    @Test func aFullDatabaseIsNoSpaceAndLeavesTheLogWhole() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        func limit(_ sql: String) async throws {
            try await store.write { database in
                let count = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
                let limit = sql.isEmpty ? count : 1 << 30
                try database.execute(sql: "PRAGMA max_page_count = \(limit)")
            }
        }
        try await limit("")
        let probe = await codeThrown { try await store.checkWritable() }
        #expect(probe == .noSpace)
        var code: StateError.Code?
        // A page holds some entries.
        for _ in 0..<1000 where code == nil {
            code = await codeThrown { _ = try await store.beginAudit(Self.event(.allowed)) }
        }
        #expect(code == .noSpace)
        #expect(try await store.verifyAudit().isWhole)
        try await limit("much")
        try await store.checkWritable()
        _ = try await store.beginAudit(Self.event(.allowed))
        #expect(try await store.verifyAudit().isWhole)
    }

    @Test(arguments: [
        (ResultCode.SQLITE_FULL, StateError.Code.noSpace), (.SQLITE_READONLY, .noPermission),
        (.SQLITE_IOERR, .io), (.SQLITE_BUSY, .busy), (.SQLITE_LOCKED, .busy),
        (.SQLITE_CANTOPEN, .noPermission), (.SQLITE_CORRUPT, .damaged),
    ])
    func everyRefusalHasItsCode(_ result: ResultCode, _ code: StateError.Code) throws {
        let error = StateError.wrapping(
            DatabaseError(resultCode: result), in: NSTemporaryDirectory())
        #expect(try #require(error as? StateError).code == code)
    }

    /// A real lock of another process's, which waits for nothing.
    @Test func aLockedDatabaseIsBusy() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(
            path: folder.path + "/state.sqlite", configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let code = await codeThrown { try await store.checkWritable() }
        #expect(code == .busy)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await store.checkWritable()
        try other.close()
    }

    @Test func aJobAndItsEntryAreChangedTogetherOrNotAtAll() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        try await store.insertJob(.made("a"))
        let code = await codeThrown {
            _ = try await store.changeJob("a", JobUpdate(status: .inProgress), at: 1) { _ in
                AuditEvent(at: 1, subject: "nul \0", action: "job.backup", outcome: .allowed)
            }
        }
        #expect(code == .invalidValue)
        #expect(try await store.job("a")?.status == .pending)
        #expect(try await store.auditHead() == .empty)
        let (job, event) = try await store.changeJob(
            "a", JobUpdate(status: .inProgress),
            event: JobEventDraft(type: "status", data: "{}"), at: 1
        ) { _ in Self.event(.allowed) }
        #expect(job.status == .inProgress)
        #expect(try await store.events(jobID: "a").map(\.id) == [event?.event.id])
        #expect(try await store.auditHead().count == 1)
    }
}

/// Clocks that were ahead for a while.
@Suite struct ClockTests {
    private static let day: Int64 = 86_400_000

    @Test func aKeyThatWasClaimedYearsAheadIsForgotten() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        let (ahead, now) = (5000 * Self.day, 10 * Self.day)
        for key in ["far", "near"] {
            let claim = try await store.claim(
                key: key, subject: "ann", fingerprint: "f", now: key == "far" ? ahead : now + 1000)
            #expect(claim == .new)
            try await store.complete(
                key: key, subject: "ann", response: StoredResponse(status: 200))
        }
        let far = try await store.claim(key: "far", subject: "ann", fingerprint: "g", now: now)
        #expect(far == .new)
        let near = try await store.claim(key: "near", subject: "ann", fingerprint: "f", now: now)
        #expect(near == .replay(StoredResponse(status: 200)))
    }

    @Test func theLastSuccessIsNotOneOfTheFuture() async throws {
        let folder = TemporaryFolder()
        let store = try await StateStore(folder: folder.path)
        for (id, instant) in [("old", Int64(1000)), ("ahead", 5000 * Self.day)] {
            try await store.insertJob(.made(id, at: instant))
            try await store.end(id, as: .succeeded, at: instant)
        }
        let found = try await store.jobStatistics(since: 0, now: 2000)
        #expect(found.lastSuccess == ["backup": 1000])
        #expect(found.lastStatus == ["backup": .succeeded])
    }
}
