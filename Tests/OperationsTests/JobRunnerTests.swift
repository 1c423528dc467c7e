import ServiceState
import Snapshots
import Testing

@testable import Operations

@Suite struct JobRunnerTests {
    @Test func aJobIsDoneAndWhatCameOfItIsInItsRecord() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit()
        #expect(job.status == .pending)
        let ended = try await fixture.running { try await fixture.ended(job) }
        #expect(ended.status == .succeeded)
        #expect(ended.result == "{\"done\":true}")
        #expect(ended.error == nil)
        #expect(ended.snapshotID?.contains("-manual-") == true)
        #expect(fixture.log.finished.map(\.id) == [job.id])
        #expect(fixture.log.failures == [])
    }

    @Test(arguments: [
        ("fail", JobStatus.failed), ("partial", .partiallyFailed), ("other", .succeeded),
    ])
    func theStatusSaysHowItEnded(_ script: String, _ status: JobStatus) async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit(script)
        let ended = try await fixture.running { try await fixture.ended(job) }
        #expect(ended.status == status)
        #expect((ended.error != nil) == (status == .failed))
    }

    /// Not as cancelled: nobody asked for that.
    @Test func aJobWhoseLockIsLostHasFailedAndSaysWhy() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit("lose")
        let ended = try await fixture.running { try await fixture.ended(job) }
        #expect(ended.status == .failed)
        let error = try #require(ended.error)
        #expect(error.contains(#""code":"lock_lost""#), "\(error)")
        #expect(error.contains("lock lost: the lock of this verify"), "\(error)")
    }

    /// However the job ends: what is gone is gone.
    @Test func whatAJobHasRemovedIsInTheAuditLogThoughItFails() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit("remove")
        let ended = try await fixture.running { try await fixture.ended(job) }
        #expect(ended.status == .failed)
        let entries = try await fixture.state.auditEntries(limit: 10).entries
        let details = try #require(entries.first?.event.details)
        #expect(details.contains(#""removed":["20261124T084512Z-manual-3f9a1c"]"#), "\(details)")
    }

    @Test func eventsTellTheWholeCourse() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit()
        _ = try await fixture.running { try await fixture.ended(job) }
        let events = try await fixture.state.events(jobID: job.id)
        #expect(events.first?.data.contains("PENDING") == true)
        #expect(events.last?.data.contains("SUCCEEDED") == true)
        #expect(Set(events.map(\.type)) == ["status", "progress", "notice"])
    }

    @Test func noMoreJobsAreDoneAtOnceThanAllowed() async throws {
        var widths = JobRunner.Widths()
        widths.longJobCount = 2
        let fixture = try await OperationsFixture(widths: widths)
        var jobs: [JobRecord] = []
        for _ in 0..<5 { jobs.append(try await fixture.submit("wait")) }
        try await fixture.running {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            _ = await begun.next()
            let unfinished = try await fixture.state.unfinishedJobs()
            #expect(unfinished.count { $0.status == .inProgress } <= 2)
            #expect(unfinished.count == 5)
            fixture.work.gate.open()
            for job in jobs { #expect(try await fixture.ended(job).status == .succeeded) }
        }
    }

    @Test func aShortJobDoesNotWaitForLongOnes() async throws {
        var widths = JobRunner.Widths()
        widths.longJobCount = 1
        let fixture = try await OperationsFixture(widths: widths)
        let long = try await fixture.submit("wait")
        let short = try await fixture.runner.submit(
            .verify(VerifyRequest(snapshot: "20261124T084512Z-manual-3f9a1c")),
            by: .service)
        try await fixture.running {
            #expect(try await fixture.ended(short).status == .succeeded)
            #expect(try await fixture.state.job(long.id)?.status.isTerminal == false)
            fixture.work.gate.open()
            _ = try await fixture.ended(long)
        }
    }

    @Test func aJobThatWaitsIsCancelledAtOnce() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit()
        let cancelled = try await fixture.runner.cancel(job.id)
        #expect(cancelled.status == .canceled)
        try await fixture.running {}
        #expect(fixture.work.assignments.values.isEmpty)
    }

    @Test func aJobThatIsDoneIsCancelledSoon() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit("wait")
        let ended = try await fixture.running {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            _ = try await fixture.runner.cancel(job.id)
            return try await fixture.ended(job)
        }
        #expect(ended.status == .canceled)
        #expect(ended.error?.contains("cancelled") == true)
        await #expect(throws: JobFailure.self) { try await fixture.runner.cancel(job.id) }
    }

    @Test func aShutdownGivesJobsTheirTimeAndThenCancelsThem() async throws {
        let fixture = try await OperationsFixture()
        let running = try await fixture.submit("wait")
        try await fixture.running(graceSeconds: 0.05) {
            var begun = fixture.work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
        }
        let ended = try #require(try await fixture.state.job(running.id))
        #expect(ended.status == .canceled)
        #expect(ended.error?.contains("shutting_down") == true)
        await #expect(throws: JobFailure.self) { try await fixture.submit() }
    }

    @Test func aJobThatDiedWithItsProcessHasFailedAndCanBeGoneOnWith() async throws {
        let first = try await OperationsFixture()
        let job = try await first.submit("note")
        let waiting = try await first.running { try await first.ended(job) }
        #expect(waiting.status == .failed)
        let lost = try await first.state.job(try await self.lost(in: first))
        first.state.close()

        let second = try await OperationsFixture(folder: first.folder)
        let recovered = try await second.runner.recover()
        #expect(recovered.map(\.id) == [lost?.id])
        #expect(recovered.first?.status == .failed)
        #expect(recovered.first?.error?.contains("interrupted") == true)
        let record = try #require(recovered.first)
        let resumed = try await second.runner.resume(
            record, by: JobRunner.Submitter(subject: "ann", role: "admin"))
        #expect(resumed.resumes == record.id)
        let ended = try await second.running { try await second.ended(resumed) }
        #expect(ended.status == .succeeded)
        #expect(second.work.assignments.values.first?.isResumed == true)
    }

    /// A job that nobody has begun: its process dies.
    private func lost(in fixture: OperationsFixture) async throws -> String {
        let record = JobRecord(
            id: "20261124T084512Z-backup-00dead", kind: "backup", createdBy: "ann",
            createdAt: fixture.time.now, request: try JobRequest.backup(BackupRequest()).text,
            isResumable: true)
        try await fixture.state.insertJob(record)
        return record.id
    }

    /// What was written since would be replaced again, and be in no backup.
    @Test func aJobIsGoneOnWithOnce() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit("fail")
        try await fixture.running {
            let failed = try await fixture.ended(job)
            let second = try await fixture.runner.resume(failed, by: .service)
            await #expect(throws: JobFailure.self) {
                try await fixture.runner.resume(failed, by: .service)
            }
            let secondEnded = try await fixture.ended(second)
            await #expect(throws: JobFailure.self) {
                try await fixture.runner.resume(failed, by: .service)
            }
            let third = try await fixture.runner.resume(secondEnded, by: .service)
            _ = try await fixture.ended(third)
        }
        #expect(fixture.work.assignments.values.map(\.isResumed) == [false, true, true])
    }

    @Test func onlyWhatWasCutOffCanBeGoneOnWith() async throws {
        let fixture = try await OperationsFixture()
        let job = try await fixture.submit()
        try await fixture.running {
            let ended = try await fixture.ended(job)
            await #expect(throws: JobFailure.self) {
                try await fixture.runner.resume(ended, by: .service)
            }
        }
    }

    @Test func everyEndIsInTheAuditLog() async throws {
        let fixture = try await OperationsFixture()
        let good = try await fixture.submit()
        let bad = try await fixture.submit("fail")
        try await fixture.running {
            _ = try await fixture.ended(good)
            _ = try await fixture.ended(bad)
        }
        let page = try await fixture.state.auditEntries()
        #expect(
            page.entries.map(\.event.outcome.rawValue).sorted()
                == ["allowed", "allowed", "failed", "succeeded"])
        #expect(page.entries.allSatisfy { $0.event.action == "job.backup" })
        #expect(try await fixture.state.verifyAudit().isWhole)
    }
}
