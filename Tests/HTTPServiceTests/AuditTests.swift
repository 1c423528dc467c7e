internal import AccessControl
internal import HTTPTypes
internal import ServiceState
internal import Synchronization
internal import Testing

@testable internal import HTTPService

/// Every change that is asked for is written down, allowed or not.
@Suite struct AuditTests {
    @Test(.needsServer, arguments: Way.allCases)
    func aChangeAndWhatBecameOfItAreWrittenDown(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let answer = try await client.post(
                "backup/create", fixture.backupBody, as: .admin,
                headers: ["Prefer": "wait=60", "X-Request-Id": "the-request"])
            #expect(answer.status == 200)
        }
        let events = try await fixture.audit()
        #expect(
            events.map { "\($0.action) \($0.outcome.rawValue)" }.sorted() == [
                "backup.create accepted", "backup.create allowed", "job.backup allowed",
                "job.backup succeeded",
            ])
        let before = try #require(events.first)
        #expect(before.action == "backup.create" && before.outcome == .allowed)
        #expect(before.requestID == "the-request" && before.status == nil)
        let asked = try #require(events.first { $0.outcome.rawValue == "accepted" })
        #expect(asked.subject == "admin-person")
        #expect(asked.role == "admin")
        #expect(asked.requestID == "the-request")
        #expect(asked.outcome.rawValue == "accepted")
        #expect(asked.status == 200)
        #expect(asked.address == (way == .socket ? asked.address : "local"))
        let done = try #require(events.first { $0.outcome == .succeeded })
        #expect(done.outcome.rawValue == "succeeded")
        #expect(done.subject == "admin-person")
        #expect(done.role == "admin")
        #expect(done.requestID == "the-request")
    }

    @Test(arguments: Way.allCases)
    func whatWasDeniedOrRefusedIsWrittenDownToo(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve(way, doesJobs: false) { client in
            let id = ServiceFixture.damagedBackup
            _ = try await client.post("backup/create", as: .viewer)
            _ = try await client.post("backup/create", "{")
            _ = try await client.post("backup/\(id)/restore")
            _ = try await client.post("backup/\(id)/restore", as: .admin)
            _ = try await client.post("backup/cleanup", #"{"keep_days": -1}"#)
            _ = try await client.put("backup/schedule", #"{"cron": "@daily"}"#)
            _ = try await client.delete("backup/\(id)", as: .admin)
            _ = try await client.get("backup/list", as: .viewer)
            _ = try await client.post("backup/create", as: nil)
        }
        let events = try await fixture.audit()
        #expect(
            events.map { "\($0.action) \($0.outcome.rawValue) \($0.status ?? 0)" } == [
                "backup.create denied 403", "backup.create refused 400",
                "backup.restore allowed 0", "backup.restore refused 404",
                "backup.restore denied 403", "backup.cleanup refused 422",
                "schedule.change allowed 0", "schedule.change accepted 200",
                "backup.delete denied 403",
            ])
        for position in [2, 3, 8] {
            #expect(events[position].resource == ServiceFixture.damagedBackup)
        }
    }

    /// A preview is not a replace, and who has removed which backups can be told for ever: jobs
    /// are forgotten, the log is not.
    @Test(.needsServer) func whatExactlyWasAskedForAndRemovedIsWrittenDown() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        let ids = Mutex<[String]>([])
        try await fixture.serve { client in
            for _ in 0..<2 {
                let id = try await client.makeBackup()
                ids.withLock { $0.append(id) }
                fixture.clock.advance(seconds: 2)
            }
            let id = ids.withLock { $0[1] }
            _ = try await client.post("backup/\(id)/restore", #"{"mode" :\#n "preview"}"#)
            _ = try await client.get("backup/\(id)/documents/\(fixture.database)/items/7")
            _ = try await client.put("backup/schedule", #"{"cron": "@daily", "enabled": false}"#)
            _ = try await client.post("backup/cleanup", #"{"max_count": 1, "dry_run": true}"#)
            _ = try await client.post("backup/cleanup", #"{"max_count": 1}"#)
            _ = try await client.delete("backup/\(id)?force=true")
        }
        let made = ids.withLock { $0 }
        let details = try await fixture.audit().map { "\($0.action) \($0.details ?? "")" }
        func expect(_ action: String, _ part: String) {
            #expect(
                details.contains { $0.hasPrefix(action) && $0.contains(part) },
                "\(part) in \(details)")
        }
        expect("backup.create", #""databases":["\#(fixture.database)"]}"#)
        expect("backup.restore", #""request":{"mode":"preview"}"#)
        expect("job.preview", #""mode":"preview""#)
        expect("backup.read_document", #""_id":"7","collection":"items","db":""#)
        expect("schedule.change", #""request":{"cron":"@daily","enabled":false}"#)
        expect("backup.cleanup", #""request":{"dry_run":true,"max_count":1}"#)
        expect("job.cleanup", #""removed":["\#(made[0])"]"#)
        expect("backup.delete", #""parameters":{"force":"true"}"#)
        #expect(details.count { $0.contains("removed") } == 1)
    }

    @Test func everyEndpointThatChangesSomethingIsAudited() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let silent = client.service.endpoints.filter {
                $0.method != .get && $0.auditedAs == nil
            }
            #expect(silent.map(\.id) == [])
        }
    }

    @Test func theLogStaysWhole() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve(doesJobs: false) { client in
            for _ in 0..<5 { _ = try await client.post("backup/create") }
        }
        let state = try await StateStore(folder: fixture.options.stateFolder, isReadOnly: true)
        defer { state.close() }
        #expect(try await state.verifyAudit().isWhole)
    }
}
