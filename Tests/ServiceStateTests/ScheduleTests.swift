import Testing

@testable import ServiceState

@Suite struct ScheduleTests {
    private let folder = TemporaryFolder()
    private let store: StateStore
    private let nightly = ScheduleRecord(
        name: "nightly", cron: "0 2 * * *", timeZone: "Europe/Rome", isEnabled: false,
        jitterSeconds: 30, request: "{}", retention: "{\"days\":30}", verifies: true,
        nextRunAt: 5, lastRunAt: 3, lastJobID: "j", updatedAt: 1, updatedBy: "ann")

    init() async throws {
        store = try await StateStore(folder: folder.path)
    }

    @Test func aScheduleIsReadAsItWasWritten() async throws {
        #expect(try await store.schedule("nightly") == nil)
        #expect(try await store.putSchedule(nightly) == nightly)
        #expect(try await store.schedule("nightly") == nightly)
        var hourly = nightly
        (hourly.name, hourly.retention, hourly.nextRunAt) = ("hourly", nil, nil)
        (hourly.lastRunAt, hourly.lastJobID) = (nil, nil)
        try await store.putSchedule(hourly)
        #expect(try await store.schedules() == [hourly, nightly])
        #expect(try await store.deleteSchedule("nightly"))
        #expect(try await !store.deleteSchedule("nightly"))
        #expect(try await store.schedules() == [hourly])
    }

    /// Somebody changes a schedule that has run since it was read.
    @Test func changingAScheduleDoesNotForgetItsLastRun() async throws {
        try await store.putSchedule(nightly)
        try await store.recordRun(schedule: "nightly", jobID: "k", at: 10, nextRunAt: 20)
        var changed = nightly
        (changed.cron, changed.nextRunAt, changed.updatedBy) = ("@daily", 15, "ben")
        let schedule = try await store.putSchedule(changed)
        #expect(schedule.lastRunAt == 10 && schedule.lastJobID == "k")
        #expect(schedule.cron == "@daily" && schedule.nextRunAt == 15)
        #expect(schedule.updatedBy == "ben")
    }

    @Test func aRunOfNoScheduleIsNotFound() async throws {
        let code = await codeThrown {
            try await store.recordRun(schedule: "no", jobID: nil, at: 1, nextRunAt: nil)
        }
        #expect(code == .notFound)
        var broken = nightly
        broken.request = "{"
        #expect(
            await codeThrown { try await store.putSchedule(broken) } == .invalidValue)
    }

    @Test func statisticsCountJobsByKindAndStatus() async throws {
        let none = try await store.jobStatistics(since: 0)
        #expect(none.counts == [] && none.successRate() == nil)
        let ends: [(String, JobStatus?, Int64)] = [
            ("backup", .succeeded, 100), ("backup", .succeeded, 300), ("backup", .failed, 200),
            ("backup", .canceled, 900), ("verify", .partiallyFailed, 400), ("verify", nil, 0),
            ("old", .succeeded, 500),
        ]
        for (number, (kind, status, instant)) in ends.enumerated() {
            let job = JobRecord.made("\(number)", kind: kind, at: kind == "old" ? 1 : 50)
            try await store.insertJob(job)
            if let status { try await store.end(job.id, as: status, at: instant) }
        }
        let statistics = try await store.jobStatistics(since: 50)
        #expect(
            statistics.counts.map { "\($0.kind) \($0.status.rawValue) \($0.count)" } == [
                "backup CANCELED 1", "backup FAILED 1", "backup SUCCEEDED 2",
                "verify PARTIALLY_FAILED 1", "verify PENDING 1",
            ])
        #expect(statistics.successRate() == 0.5)
        #expect(statistics.successRate(ofKind: "verify") == 0)
        #expect(statistics.successRate(ofKind: "old") == nil)
        #expect(statistics.lastSuccess == ["backup": 300, "old": 500])
        #expect(statistics.lastFailure == ["backup": 200, "verify": 400])
    }
}
