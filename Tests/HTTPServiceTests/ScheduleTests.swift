internal import AccessControl
internal import ExtendedJSON
internal import HTTPTypes
internal import Operations
internal import ServiceState
internal import Snapshots
internal import Testing

@testable internal import HTTPService

/// The schedule as clients set and see it.
@Suite struct ScheduleTests {
    private static let path = "backup/schedule"

    @Test(arguments: Way.allCases)
    func whatIsSetIsTold(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let body = #"""
                {"cron": "30 2 * * *", "time_zone": "Europe/Rome", "verify": true,
                "jitter_seconds": 60, "backup": {"codec": "zstd"}, "retention": {"keep_days": 7}}
                """#
            let put = try await client.put(Self.path, body)
            #expect(put.status == 200, "\(put)")
            let get = try await client.get(Self.path, as: .viewer)
            #expect(get.text == put.text)
            #expect(try get.string("cron") == "30 2 * * *")
            #expect(try get.string("time_zone") == "Europe/Rome")
            #expect(try get.string("backup", "codec") == "zstd")
            #expect(try get.number("retention", "keep_days") == 7)
            #expect(try get.value("next_run").isNull == false)
            let statistics = try await client.get("backup/statistics")
            #expect(
                try statistics.string("next_scheduled_run") == get.string("next_run"))
        }
    }

    @Test(arguments: Way.allCases)
    func aScheduleThatIsSwitchedOffRunsNever(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let put = try await client.put(Self.path, #"{"cron": "@daily", "enabled": false}"#)
            #expect(put.status == 200)
            #expect(try put.value("next_run").isNull)
            #expect(try put.string("time_zone") == "UTC")
        }
    }

    @Test(arguments: [
        (#"{"cron": "61 * * * *"}"#, ["/cron"]), (#"{"cron": "nonsense"}"#, ["/cron"]),
        (#"{"cron": "* * * *", "time_zone": "Mars/Olympus"}"#, ["/cron", "/time_zone"]),
        (#"{"cron": "@daily", "time_zone": "../../etc/passwd"}"#, ["/time_zone"]),
        (#"{}"#, ["/cron"]), (#"{"cron": "@daily", "enabled": 1}"#, ["/enabled"]),
        (
            #"{"cron": "@daily", "backup": {"codec": "gzip", "level": 19}}"#,
            ["/backup/level"]
        ),
        (#"{"cron": "@daily", "backup": {"code": 1}}"#, ["/backup/code"]),
        (#"{"cron": "@daily", "retention": {"keep_days": -1}}"#, ["/retention/keep_days"]),
        (#"{"cron": "@daily", "jitter_seconds": 3601}"#, ["/jitter_seconds"]),
    ])
    func aScheduleThatCannotBeIsRefused(_ body: String, _ fields: [String]) async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let answer = try await client.put(Self.path, body)
            #expect(answer.status == 422, "\(answer)")
            #expect(try answer.faults == fields.map { "body \($0)" })
            #expect(!answer.text.contains("RequestError"))
            #expect(try await client.get(Self.path).status == 404)
        }
    }

    /// The backup is there and counts, but what should have come after it has not.
    @Test(.needsServer)
    func aBackupWhoseVerificationOrRetentionFailsHasPartlyFailed() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(doesJobs: false) { client in
            let runner = client.service.environment.runner
            var backup = BackupRequest()
            backup.databases = [fixture.database]
            let request = ScheduledBackupRequest(
                backup: backup, retention: CleanupRequest(), verifies: true)
            let job = try await runner.submit(.scheduledBackup(request), by: .service)
            var claim = LockClaim(.prune)
            claim.isAdministration = true
            claim.removes = [try #require(job.snapshotID.flatMap { SnapshotID($0) })]
            try await fixture.locks.withLock(claim, observer: SilentObserver()) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await runner.run(graceSeconds: 60) }
                    _ = try await runner.wait(for: job.id, seconds: 120)
                    runner.beginShutdown()
                    try await group.waitForAll()
                }
            }
            let found = try await client.get("jobs/\(job.id)")
            #expect(try found.string("status") == "PARTIALLY_FAILED")
            let problems = try found.value("result", "problems").items
            #expect(
                try problems.map { try $0.value(["part"]).string } == ["verification", "retention"])
            #expect(try problems.allSatisfy { try $0.value(["code"]).string == "locked" })
            #expect(try await client.get("backup/list").count("backups") == 1)
            let metrics = try await client.get("/metrics").text
            let labels = #"{kind="scheduled_backup",schedule="default"}"#
            #expect(metrics.contains("cairn_job_partial_failures_total\(labels) 1\n"))
        }
    }

    @Test func aRunThatIsDueBecomesAJob() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            _ = try await client.put(Self.path, #"{"cron": "* * * * *"}"#)
            client.fixture.clock.advance(seconds: 61)
            let token = try await client.fixture.issuer.issue(
                TokenGrant(subject: "later", role: .viewer, lifetimeSeconds: 600),
                now: client.fixture.clock.date)
            let extras = ServiceClient.Extras(token: token)
            var count = 0
            while count == 0 {
                let jobs = try await client.send(.get, "jobs?kind=scheduled_backup", extras)
                count = try jobs.number("total")
            }
            let schedule = try await client.send(.get, Self.path, extras)
            #expect(try schedule.value("last_run").isNull == false)
        }
    }
}
