import Foundation
import ServiceState
import Snapshots
import Synchronization
import Testing

@testable import Operations

/// Jobs that ignore that they were told to end.
@Suite struct StuckJobTests {
    @Test func aCancelledJobThatDoesNotEndIsGivenUp() async throws {
        let fixture = try await OperationsFixture(cancelSeconds: 0.05)
        let job = try await fixture.submit("stuck")
        try await fixture.running {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            _ = try await fixture.runner.cancel(job.id)
            let ended = try await fixture.ended(job)
            #expect(ended.status == .failed)
            #expect(ended.error?.contains("gave_up") == true)
            let stuck = try #require(fixture.runner.stuckJobs.first)
            #expect(stuck.id == job.id && stuck.kind == "backup" && stuck.phase == "reading")
            #expect(fixture.log.givenUp.values.map(\.id) == [job.id])
            // It holds what it works on.
            await #expect(throws: JobFailure.self) {
                try await fixture.runner.resume(ended, by: .service)
            }
            // Its place is free.
            let next = try await fixture.submit()
            #expect(try await fixture.ended(next).status == .succeeded)
            fixture.work.gate.open()
            for await notice in fixture.log.notices.stream
            where notice.contains("ended late") { break }
            #expect(fixture.runner.stuckJobs.isEmpty)
        }
        let outcomes = try await fixture.state.auditEntries().entries.reversed()
            .filter { $0.event.details?.contains(job.id) == true }
            .map(\.event.outcome.rawValue)
        #expect(outcomes == ["allowed", "failed", "succeeded"])
    }

    /// It would leave live data between what it was and the snapshot.
    @Test func aJobThatPutsLiveDataInPlaceIsWaitedFor() async throws {
        let fixture = try await OperationsFixture(cancelSeconds: 0.05)
        let job = try await fixture.submit("commit")
        try await fixture.running {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            while !fixture.runner.isCommitting { await Task.yield() }
            _ = try await fixture.runner.cancel(job.id)
            // Several times what others are given.
            try await Task.sleep(for: .milliseconds(400))
            #expect(try await fixture.state.job(job.id)?.status == .inProgress)
            fixture.work.gate.open()
            let ended = try await fixture.ended(job)
            #expect(ended.status == .canceled)
            #expect(ended.error?.contains("cancelled on request; already there: d.a") == true)
        }
    }

    @Test func notWithoutAnEnd() async throws {
        let fixture = try await OperationsFixture(cancelSeconds: 0.05, commitSeconds: 0.2)
        let job = try await fixture.submit("commit")
        try await fixture.running {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            while !fixture.runner.isCommitting { await Task.yield() }
            _ = try await fixture.runner.cancel(job.id)
            let ended = try await fixture.ended(job)
            #expect(ended.error?.contains("gave_up") == true)
            #expect(!fixture.runner.isCommitting)
        }
        fixture.work.gate.open()
    }

    @Test func aShutdownDoesNotWaitForIt() async throws {
        let fixture = try await OperationsFixture(cancelSeconds: 0.05)
        let job = try await fixture.submit("stuck")
        try await fixture.running(graceSeconds: 0) {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
        }
        let ended = try #require(try await fixture.state.job(job.id))
        #expect(ended.status == .failed && ended.error?.contains("gave_up") == true)
        #expect(fixture.runner.stuckJobs.map(\.id) == [job.id])
        #expect(fixture.runner.jobsAtWork.map(\.id) == [job.id])
        fixture.work.gate.open()
    }

    @Test func theGraceCanBeEnded() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit("wait")
        // Longer than any test may take.
        try await fixture.running(graceSeconds: 100_000) {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            fixture.runner.beginShutdown()
            fixture.runner.endGrace()
        }
        #expect(try await fixture.state.job(job.id)?.status == .canceled)
    }
}
