import ServiceState
import Snapshots
import Synchronization
import Testing

@testable import Operations

@Suite struct SchedulerTests {
    private static let hour: Int64 = 3_600_000

    private func make(_ fixture: OperationsFixture) -> Scheduler {
        Scheduler(
            state: fixture.state, runner: fixture.runner,
            environment: fixture.time.environment, log: fixture.log)
    }

    private func hourly(jitter: Int? = nil, enabled: Bool? = nil) -> ScheduleRequest {
        ScheduleRequest(cron: "0 * * * *", enabled: enabled, jitterSeconds: jitter, verify: true)
    }

    @Test func nothingBeginsBeforeItsTime() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        _ = try await scheduler.set(hourly(), by: "ann")
        #expect(try await scheduler.beginWhatIsDue() == nil)
    }

    @Test func aRunBeginsOnceWhenItsTimeHasCome() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        _ = try await scheduler.set(hourly(), by: "ann")
        fixture.time.advance(milliseconds: Self.hour)
        let job = try #require(try await scheduler.beginWhatIsDue())
        #expect(job.kind == "scheduled_backup")
        #expect(job.snapshotID?.contains("-scheduled-") == true)
        #expect(try await scheduler.beginWhatIsDue() == nil)
        let schedule = try #require(try await scheduler.current())
        #expect(schedule.lastJobID == job.id)
        #expect(schedule.nextRunAt.map { $0 > fixture.time.now } == true)
    }

    /// Between two looks at the clock the next run's time may come.
    @Test(arguments: 1...8)
    func aStartThatTakesUntilTheNextRunLeavesNoneOut(_ lookCount: Int) async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        let first = try await scheduler.set(hourly(), by: "ann").nextRunAt
        let almost = try #require(first) + Self.hour - 1
        fixture.time.advance(milliseconds: almost - fixture.time.now)
        let count = Atomic<Int>(0)
        let time = fixture.time
        time.onLook.withLock {
            $0 = {
                let number = count.wrappingAdd(1, ordering: .relaxed).newValue
                if number == lookCount { time.advance(milliseconds: 2) }
            }
        }
        #expect(try await scheduler.beginWhatIsDue() != nil)
        time.onLook.withLock { $0 = nil }
        if time.now <= almost { time.advance(milliseconds: 2) }
        _ = try await scheduler.beginWhatIsDue()
        // The first look may have seen the later time already; then the first run was missed.
        let runCount = try await fixture.state.unfinishedJobs().count
        #expect(runCount == (lookCount == 1 ? 1 : 2))
    }

    /// What is set at the last moment before a run does not miss it.
    @Test(arguments: 1...3)
    func aScheduleThatIsSetJustBeforeARunHasIt(_ lookCount: Int) async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        let first = try await scheduler.set(hourly(), by: "ann").nextRunAt
        let time = fixture.time
        time.advance(milliseconds: try #require(first) - 1 - time.now)
        let count = Atomic<Int>(0)
        time.onLook.withLock {
            $0 = {
                let number = count.wrappingAdd(1, ordering: .relaxed).newValue
                if number == lookCount { time.advance(milliseconds: 2) }
            }
        }
        let next = try await scheduler.set(hourly(), by: "ann").nextRunAt
        time.onLook.withLock { $0 = nil }
        if time.now <= (first ?? 0) { time.advance(milliseconds: 2) }
        let job = try await scheduler.beginWhatIsDue()
        #expect((job != nil) == (next == first))
        #expect((next == first) == (lookCount > 1))
    }

    @Test func runsThatWereMissedAreMadeUpOnce() async throws {
        let fixture = try await OperationsFixture()
        _ = try await make(fixture).set(hourly(), by: "ann")
        fixture.time.advance(milliseconds: 50 * Self.hour)
        let scheduler = make(fixture)
        #expect(try await scheduler.beginWhatIsDue() != nil)
        #expect(try await scheduler.beginWhatIsDue() == nil)
        #expect(try await fixture.state.unfinishedJobs().count == 1)
    }

    @Test func jitterDelaysByNoMoreThanAllowed() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        let plain = try await scheduler.set(hourly(), by: "ann").nextRunAt
        let start = try #require(plain)
        for _ in 0..<50 {
            let next = try await scheduler.set(hourly(jitter: 600), by: "ann").nextRunAt
            #expect(next.map { (start...start + 600_000).contains($0) } == true)
        }
    }

    @Test func aScheduleThatIsOffBeginsNothing() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        _ = try await scheduler.set(hourly(enabled: false), by: "ann")
        fixture.time.advance(milliseconds: 5 * Self.hour)
        #expect(try await scheduler.beginWhatIsDue() == nil)
        #expect(try await scheduler.current()?.nextRunAt == nil)
    }

    @Test func allThatCannotBeIsToldAtOnce() async throws {
        let fixture = try await OperationsFixture()
        var backup = BackupRequest()
        backup.codec = "gzip"
        backup.level = 99
        let request = ScheduleRequest(cron: "61 * * * *", timeZone: "Mars/Olympus", backup: backup)
        do {
            _ = try await make(fixture).set(request, by: "ann")
            Issue.record("it was taken")
        } catch let error as RequestErrors {
            #expect(error.errors.map(\.field) == ["cron", "time_zone", "backup/level"])
        }
    }

    private static let year: Int64 = 365 * 24 * hour

    /// As after a boot without a battery: set while the clock was years ahead, or having run then.
    @Test(arguments: [true, false], [true, false])
    func aClockThatWasAheadLeavesNoRunYearsAway(_ hasRun: Bool, _ isRestarted: Bool) async throws {
        let fixture = try await OperationsFixture()
        var scheduler = make(fixture)
        let start = fixture.time.now
        fixture.time.advance(milliseconds: 14 * Self.year)
        _ = try await scheduler.set(hourly(jitter: 60), by: "ann")
        #expect(!scheduler.mustLook())
        if hasRun {
            fixture.time.advance(milliseconds: 2 * Self.hour)
            #expect(try await scheduler.beginWhatIsDue() != nil)
            #expect(!scheduler.mustLook())
        }
        fixture.time.advance(milliseconds: start - fixture.time.now)
        if isRestarted { scheduler = make(fixture) } else { #expect(scheduler.mustLook()) }
        #expect(try await scheduler.beginWhatIsDue() == nil)
        let next = try #require(try await scheduler.current()?.nextRunAt)
        #expect((start...start + Self.hour + 60_000).contains(next))
        fixture.time.advance(milliseconds: Self.hour + 60_000)
        #expect(scheduler.mustLook())
        #expect(try await scheduler.beginWhatIsDue() != nil)
    }

    /// A run at the full hour, after which the clock goes back over it by a little.
    @Test func aSmallStepBackDoesNotRunTwice() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        let first = try #require(try await scheduler.set(hourly(), by: "ann").nextRunAt)
        fixture.time.advance(milliseconds: first - fixture.time.now + 200)
        #expect(try await scheduler.beginWhatIsDue() != nil)
        fixture.time.advance(milliseconds: -120_000)
        #expect(try await scheduler.beginWhatIsDue() == nil)
        fixture.time.advance(milliseconds: 180_000)
        #expect(try await scheduler.beginWhatIsDue() == nil)
        #expect(try await scheduler.current()?.nextRunAt == first + Self.hour)
    }

    @Test func whatIsSwitchedOnAgainDoesNotMakeUpForWhenItWasOff() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        _ = try await scheduler.set(hourly(), by: "ann")
        fixture.time.advance(milliseconds: Self.hour)
        #expect(try await scheduler.beginWhatIsDue() != nil)
        _ = try await scheduler.set(hourly(enabled: false), by: "ann")
        fixture.time.advance(milliseconds: 50 * Self.hour)
        _ = try await scheduler.set(hourly(), by: "ann")
        #expect(try await scheduler.beginWhatIsDue() == nil)
    }

    @Test func itBeginsWhatIsDueByItself() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = make(fixture)
        _ = try await scheduler.set(hourly(), by: "ann")
        fixture.time.advance(milliseconds: 2 * Self.hour)
        try await fixture.running {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await scheduler.run() }
                var begun = fixture.work.begun.stream.makeAsyncIterator()
                #expect(await begun.next() != nil)
                group.cancelAll()
            }
        }
    }
}
