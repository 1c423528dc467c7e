internal import AccessControl
internal import Foundation
internal import HTTPTypes
internal import Operations
internal import Synchronization
internal import Testing

@testable internal import HTTPService
@testable internal import ServiceState

/// What is asked for when nothing can be written down, as on a full disk.
@Suite struct RecordOutageTests {
    private static func fail(
        _ client: ServiceClient, _ code: StateError.Code?, after passCount: Int = 0
    ) {
        client.service.environment.state.fault.withLock {
            $0 = code.map { WriteFault(code: $0, passCount: passCount) }
        }
    }

    @Test(arguments: Way.allCases)
    func aDeletionThatCannotBeWrittenDownIsNotDone(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(way, doesJobs: false) { client in
            let path = "backup/\(ServiceFixture.damagedBackup)?force=true"
            Self.fail(client, .noSpace)
            let refused = try await client.delete(path)
            #expect(refused.status == 503)
            #expect(try refused.string("code") == "no_space")
            #expect(refused.header("Retry-After") != nil)
            let ready = try await client.get("/readyz", as: nil)
            #expect(ready.status == 503)
            #expect(try ready.string("checks", "2", "code") == "no_space")
            #expect(try await client.get("backup/list").count("backups") == 1)
            Self.fail(client, nil)
            #expect(try await client.delete(path).status == 204)
            #expect(try await client.get("backup/list").count("backups") == 0)
        }
        let events = try await fixture.audit()
        #expect(events.map(\.outcome.rawValue) == ["allowed", "accepted"])
    }

    /// Its entry stands, and says what came of it: nothing.
    @Test func aDeletionWithoutTheLogsHeadIsRefusedAndItsOutcomeKnown() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(doesJobs: false) { client in
            let head = fixture.options.stateFolder + "/audit.head"
            try FileManager.default.removeItem(atPath: head)
            try FileManager.default.createDirectory(
                atPath: head, withIntermediateDirectories: false)
            let refused = try await client.delete(
                "backup/\(ServiceFixture.damagedBackup)?force=true")
            #expect(refused.status == 503)
            #expect(try await client.get("backup/list").count("backups") == 1)
            #expect(try await client.service.environment.state.openAudits().isEmpty)
            let outcomes = try await client.service.environment.state.auditEntries().entries
                .map(\.event.outcome.rawValue)
            #expect(outcomes == ["refused", "allowed"])
        }
    }

    /// The intent stands, and the outcome follows.
    @Test func anOutcomeThatCannotBeWrittenDownIsLater() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(doesJobs: false) { client async throws in
            let path = "backup/\(ServiceFixture.damagedBackup)?force=true"
            Self.fail(client, .noSpace, after: 1)
            #expect(try await client.delete(path).status == 204)
            let deferred = client.service.environment.runner.deferred
            #expect(deferred.count == 1)
            #expect(try await fixture.audit().map(\.outcome.rawValue) == ["allowed"])
            Self.fail(client, nil)
            await deferred.retry()
            #expect(
                try await fixture.audit().map(\.outcome.rawValue) == ["allowed", "accepted"])
            #expect(try await client.service.environment.state.verifyAudit().isWhole)
        }
    }

    @Test(arguments: [
        (StateError.Code.noSpace, "no_space"), (.noPermission, "state_not_writable"),
        (.readOnly, "state_not_writable"), (.busy, "state_busy"), (.io, "state_failed"),
    ])
    func everyFailureOfTheRecordsIsOneClearProblem(
        _ code: StateError.Code, _ word: String
    ) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(doesJobs: false) { client in
            let id = ServiceFixture.damagedBackup
            let job = try await client.post("backup/create").string("job_id")
            Self.fail(client, code)
            let key = ["Idempotency-Key": "once"]
            var answers = [
                try await client.post("backup/create"),
                try await client.post("backup/create", headers: key),
                try await client.post("backup/create", as: .viewer),
                try await client.post("backup/create", "{"),
                try await client.put("backup/schedule", #"{"cron": "@daily"}"#),
                try await client.delete("backup/\(id)?force=true"),
                try await client.post("jobs/\(job)/cancel"),
                try await client.post("jobs/\(job)/resume"),
            ]
            for action in ["restore", "verify"] {
                answers.append(try await client.post("backup/\(id)/\(action)"))
            }
            answers.append(try await client.post("backup/cleanup"))
            for part in ["download", "diff/\(id)", "documents/a/b/1"] {
                answers.append(try await client.get("backup/\(id)/\(part)"))
            }
            for answer in answers {
                #expect(answer.status == 503, "\(answer)")
                #expect(try answer.string("code") == word)
                #expect(!answer.text.contains(fixture.options.stateFolder), "\(answer)")
            }
            #expect(
                try await client.get("/readyz", as: nil).string("checks", "2", "code") == word)
            // What only reads goes on.
            #expect(try await client.get("backup/list").status == 200)
            #expect(try await client.get("jobs/\(job)").string("status") == "PENDING")
            // Nothing of it was done, and the key is free.
            Self.fail(client, nil)
            #expect(try await client.get("jobs").number("total") == 1)
            let again = try await client.post("backup/create", headers: key)
            #expect(again.status == 202)
        }
    }
}
