internal import AccessControl
internal import Operations
internal import PrivateServer
internal import ServiceState
internal import Testing

@testable internal import HTTPService

/// Long work: waited for, ended, resumed, found again.
@Suite struct JobTests {
    @Test(arguments: Way.allCases)
    func aJobThatWaitsIsEndedAtOnce(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let job = try await client.post("backup/create").string("job_id")
            let answer = try await client.post("jobs/\(job)/cancel")
            #expect(answer.status == 200)
            #expect(try answer.string("status") == "CANCELED")
            #expect(try answer.string("error", "code") == "cancelled")
            let again = try await client.post("jobs/\(job)/cancel")
            #expect(again.status == 409)
            #expect(try again.string("code") == "already_finished")
        }
    }

    @Test(arguments: Way.allCases)
    func aJobThatIsBeingDoneEndsSoon(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.settings.enduranceSeconds = 3600
        fixture.options.settings.waitsForServer = true
        try await fixture.serve(way) { client in
            let job = try await client.post("backup/create").string("job_id")
            while try await client.get("jobs/\(job)").string("status") == "PENDING" {
                await Task.yield()
            }
            let answer = try await client.post("jobs/\(job)/cancel")
            #expect(answer.status == 202)
            let ended = try await client.ended(job)
            #expect(try ended.string("status") == "CANCELED")
            #expect(try await client.get("backup/list").count("backups") == 0)
        }
    }

    @Test(arguments: Way.allCases)
    func whoMayNotBeginAJobMayNotEndIt(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(way, doesJobs: false) { client in
            let restore = try await client.post(
                "backup/\(ServiceFixture.damagedBackup)/restore", #"{"mode": "replace"}"#)
            let job = try restore.string("job_id")
            for action in ["cancel", "resume"] {
                let admin = try await client.post("jobs/\(job)/\(action)", as: .admin)
                #expect(admin.status == 403)
                #expect(try admin.string("detail").contains("backups:restore"))
                #expect(try await client.post("jobs/\(job)/\(action)", as: .viewer).status == 403)
            }
            #expect(try await client.post("jobs/\(job)/cancel").status == 200)
        }
    }

    @Test(arguments: Way.allCases)
    func aJobThatWasEndedIsGoneOnWithByAnother(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let job = try await client.post("backup/create").string("job_id")
            let early = try await client.post("jobs/\(job)/resume")
            #expect(early.status == 409)
            #expect(try early.string("code") == "not_resumable")
            _ = try await client.post("jobs/\(job)/cancel")
            let key = ["Idempotency-Key": "resume"]
            let resumed = try await client.post("jobs/\(job)/resume", headers: key)
            #expect(resumed.status == 202)
            let other = try await client.get("jobs/\(try resumed.string("job_id"))")
            #expect(try other.string("resumes") == job)
            #expect(try other.string("kind") == "backup")
            let again = try await client.post("jobs/\(job)/resume", headers: key)
            #expect(again.text == resumed.text)
            let first = try await client.get("jobs/\(job)")
            #expect(try first.string("resumed_by") == resumed.string("job_id"))
            #expect(try first.value("resumable").kindText == "false")
            let second = try await client.post("jobs/\(job)/resume")
            #expect(second.status == 409)
            #expect(try second.string("detail").contains(resumed.string("job_id")))
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func whatHasSucceededIsNotGoneOnWith(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            _ = try await client.makeBackup()
            let job = try await client.get("jobs").string("jobs", "0", "job_id")
            #expect(try await client.post("jobs/\(job)/resume").status == 409)
            #expect(try await client.post("jobs/\(job)/cancel").status == 409)
        }
    }

    @Test(.needsServer) func aJobThatAProcessLeftBehindHasFailedAndCanBeGoneOnWith() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        let job = try await fixture.firstAnswer {
            try await $0.post("backup/create", fixture.backupBody)
        }.string("job_id")
        do {
            let state = try await StateStore(folder: fixture.options.stateFolder)
            defer { state.close() }
            try await state.updateJob(
                job, JobUpdate(status: .inProgress), at: fixture.clock.milliseconds)
        }
        try await fixture.serve { client in
            let found = try await client.get("jobs/\(job)")
            #expect(try found.string("status") == "FAILED")
            #expect(try found.string("error", "code") == "interrupted")
            #expect(try found.string("error", "message").contains("process died"))
            #expect(try found.value("resumable").kindText == "true")
            let resumed = try await client.post(
                "jobs/\(job)/resume", headers: ["Prefer": "wait=60"])
            #expect(try resumed.string("status") == "SUCCEEDED", "\(resumed)")
            #expect(try await client.get("backup/list").count("backups") == 1)
        }
        #expect(
            try await fixture.audit().contains {
                $0.action == "job.backup" && $0.outcome.rawValue == "failed"
            })
    }

    @Test(.needsServer, arguments: Way.allCases)
    func whoPrefersToWaitIsAnsweredWithTheEnd(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let answer = try await client.post(
                "backup/create", fixture.backupBody,
                headers: ["Prefer": "respond-async, wait=60"])
            #expect(answer.status == 200)
            #expect(answer.header("Preference-Applied") == "wait=60")
            #expect(try answer.string("status") == "SUCCEEDED")
        }
    }

    @Test(arguments: ["wait=1", "WAIT = 1", "wait=1;x=2, handling=lenient", "x, wait=1"])
    func waitingEndsWithItsTime(_ preference: String) async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let answer = try await client.post(
                "backup/create", headers: ["Prefer": preference])
            #expect(answer.status == 202)
            #expect(try answer.string("status") == "PENDING")
            #expect(answer.header("Preference-Applied") == "wait=1")
        }
    }

    @Test(arguments: ["", "wait", "wait=", "wait=-1", "wait=ten", "wait=99999999999999999999"])
    func aPreferenceThatSaysNothingIsReadOver(_ preference: String) async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let answer = try await client.post(
                "backup/create", headers: ["Prefer": preference])
            #expect(answer.status == 202)
            #expect(answer.header("Preference-Applied") == nil)
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func theWholeServerIsBackedUpWhenNothingIsSaid(_ way: Way) async throws {
        let server = try await PrivateServer()
        let fixture = try await ServiceFixture(uri: ServiceFixture.uri(of: server))
        try await fixture.fill()
        try await fixture.serve(way) { client in
            _ = try await client.makeBackup(#"{"backup_type": "manual"}"#)
            let list = try await client.get("backup/list?type=manual")
            #expect(try list.count("backups") == 1)
        }
        try await server.stop()
    }
}
