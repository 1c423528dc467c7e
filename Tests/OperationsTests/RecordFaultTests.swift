import Foundation
import Snapshots
import Synchronization
import Testing

@testable import Operations
@testable import ServiceState

/// Jobs and outcomes when nothing can be written down, as on a full disk.
@Suite struct RecordFaultTests {
    private func fail(_ state: StateStore, _ code: StateError.Code?, after passCount: Int = 0) {
        state.fault.withLock { $0 = code.map { WriteFault(code: $0, passCount: passCount) } }
    }

    @Test func aJobThatCannotBeWrittenDownIsNotBegun() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit()
        fail(fixture.state, .noSpace)
        try await fixture.running {
            // The end is tried again and again.
            while fixture.runner.deferred.count == 0 { await Task.yield() }
            #expect(fixture.work.assignments.values.isEmpty)
            fail(fixture.state, nil)
            await fixture.runner.deferred.retry()
            let ended = try await fixture.ended(job)
            #expect(ended.status == .failed)
            #expect(ended.error?.contains("no_space") == true)
        }
    }

    @Test func aJobsEndIsWrittenDownAsSoonAsItCanBe() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit("wait")
        try await fixture.running {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            fail(fixture.state, .noSpace)
            fixture.work.gate.open()
            while fixture.runner.deferred.count == 0 { await Task.yield() }
            // It has succeeded, so that it can't be cancelled any more.
            await #expect(throws: JobFailure.self) { try await fixture.runner.cancel(job.id) }
            fail(fixture.state, nil)
            await fixture.runner.deferred.retry()
            let ended = try await fixture.ended(job)
            #expect(ended.status == .succeeded)
        }
        let entries = try await fixture.state.auditEntries().entries
        #expect(entries.map(\.event.outcome.rawValue) == ["succeeded", "allowed"])
        #expect(try await fixture.state.verifyAudit().isWhole)
    }

    @Test func aWaitingJobWhoseCancellationCannotBeWrittenDownIsDone() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit()
        fail(fixture.state, .noSpace)
        await #expect(throws: StateError.self) { try await fixture.runner.cancel(job.id) }
        fail(fixture.state, nil)
        try await fixture.running {
            let ended = try await fixture.ended(job)
            #expect(ended.status == .succeeded)
        }
    }

    /// Its turn has come while it was being cancelled, and was passed over.
    @Test(.timeLimit(.minutes(2)))
    func aJobWhoseTurnCameWhileItWasCancelledIsDoneAfterAll() async throws {
        let fixture = try await OperationsFixture()
        let runner = fixture.runner
        let job = try await fixture.submit()
        runner.live.withLock { _ = $0.canceled.insert(job.id) }
        try await fixture.running {
            while !runner.live.withLock({ $0.canceled.isEmpty }) { await Task.yield() }
            fail(fixture.state, .noSpace)
            // As its turn does between the mark and what would be written down.
            fixture.time.onLook.withLock {
                $0 = { runner.live.withLock { _ = $0.canceled.remove(job.id) } }
            }
            await #expect(throws: StateError.self) { try await runner.cancel(job.id) }
            fixture.time.onLook.withLock { $0 = nil }
            fail(fixture.state, nil)
            let ended = try await fixture.ended(job)
            #expect(ended.status == .succeeded)
        }
    }

    @Test func anIntentThatCannotBeWrittenDownIsAnError() async throws {
        let fixture = try await OperationsFixture()
        let trail = AuditTrail(state: fixture.state, deferred: fixture.runner.deferred)
        fail(fixture.state, .noSpace)
        await #expect(throws: StateError.self) { try await trail.begin(Self.event("allowed")) }
    }

    @Test func anOutcomeIsWrittenDownAsSoonAsItCanBe() async throws {
        let fixture = try await OperationsFixture()
        let trail = AuditTrail(state: fixture.state, deferred: fixture.runner.deferred)
        let intent = try await trail.begin(Self.event("allowed"))
        fail(fixture.state, .noSpace)
        await trail.end(intent, Self.event("accepted"))
        #expect(try await fixture.state.openAudits().count == 1)
        await fixture.runner.deferred.retry()
        #expect(fixture.runner.deferred.count == 1)
        fail(fixture.state, nil)
        await fixture.runner.deferred.retry()
        #expect(fixture.runner.deferred.count == 0)
        #expect(try await fixture.state.openAudits().isEmpty)
        let outcomes = try await fixture.state.auditEntries().entries.map(\.event.outcome.rawValue)
        #expect(outcomes == ["accepted", "allowed"])
        #expect(try await fixture.state.verifyAudit().isWhole)
    }

    @Test func aProcessThatDiesInBetweenLeavesAnUnknownOutcome() async throws {
        let first = try await OperationsFixture()
        let trail = AuditTrail(state: first.state, deferred: first.runner.deferred)
        _ = try await trail.begin(Self.event("allowed"))
        first.state.close()
        let second = try await OperationsFixture(folder: first.folder)
        _ = try await second.runner.recover()
        let outcomes = try await second.state.auditEntries().entries.map(\.event.outcome.rawValue)
        #expect(outcomes == ["unknown", "allowed"])
        _ = try await second.runner.recover()
        #expect(try await second.state.auditEntries().totalCount == 2)
        #expect(try await second.state.verifyAudit().isWhole)
    }

    @Test func aScheduledRunThatCannotBeWrittenDownIsTriedAgain() async throws {
        let fixture = try await OperationsFixture()
        let scheduler = Scheduler(
            state: fixture.state, runner: fixture.runner, environment: fixture.time.environment,
            log: fixture.log)
        _ = try await scheduler.set(ScheduleRequest(cron: "0 * * * *"), by: "ann")
        fixture.time.advance(milliseconds: 3_600_000)
        fail(fixture.state, .noSpace)
        await #expect(throws: StateError.self) { try await scheduler.beginWhatIsDue() }
        fail(fixture.state, nil)
        #expect(try await scheduler.beginWhatIsDue() != nil)
    }

    private static func event(_ outcome: String) -> AuditEvent {
        AuditEvent(
            at: 1, subject: "ann", role: "admin", action: "backup.delete", resource: "a-backup",
            outcome: AuditOutcome(rawValue: outcome))
    }
}
