internal import Foundation
internal import ServiceState
internal import Snapshots
internal import Synchronization
internal import Testing

@testable internal import Operations

/// Does nothing until it is cancelled, and counts what was begun and what was not cancelled.
private final class PatientWork: JobWork {
    private let unfinished = Mutex(0)

    /// How many are being done now.
    var unfinishedCount: Int { unfinished.withLock { $0 } }

    func perform(
        _ job: JobAssignment, _ observer: any JobObserver,
        note: @escaping @Sendable (String) async throws -> Void
    ) async throws -> JobOutcome {
        unfinished.withLock { $0 += 1 }
        defer { unfinished.withLock { $0 -= 1 } }
        try await Task.sleep(for: .seconds(3600))
        return JobOutcome(result: "{}")
    }
}

/// Has ended before one can look.
private struct HastyWork: JobWork {
    func perform(
        _ job: JobAssignment, _ observer: any JobObserver,
        note: @escaping @Sendable (String) async throws -> Void
    ) async throws -> JobOutcome { JobOutcome(result: "{}") }
}

private struct SilentLog: OperationsLog {
    func gaveUp(_ job: StuckJob) {}
    func removed(_ snapshot: String, isAsked: Bool, hasSucceeded: Bool) {}
    func finished(_ job: JobRecord) {}
    func failed(_ what: String, job: String?, _ error: any Error) {
        Issue.record("\(what) \(job ?? ""): \(error)")
    }
    func noticed(_ message: String, job: String?) {}
}

/// The runner without a service around it.
@Suite struct JobRunnerTests {
    /// A job whose turn comes in the very moment in which it is ended has not begun, or is told:
    /// it never goes on while its record says that it was ended.
    @Test func aJobThatIsEndedWhileItBeginsDoesNotGoOn() async throws {
        let folder = try TemporaryFolder()
        let clock = TestClock()
        let state = try await StateStore(folder: folder.path)
        defer { state.close() }
        let work = PatientWork()
        var widths = JobRunner.Widths()
        widths.longJobCount = 1
        let runner = JobRunner(
            state: state, work: work, widths: widths, environment: clock.environment,
            log: SilentLog())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run(graceSeconds: 0) }
            for number in 0..<100 {
                let job = try await runner.submit(.backup(BackupRequest()), by: .service)
                // From at once to well behind the beginning.
                for _ in 0..<number { await Task.yield() }
                _ = try await runner.cancel(job.id)
                let ended = try await runner.wait(for: job.id, seconds: 20)
                #expect(ended?.status == .canceled)
            }
            runner.beginShutdown()
            try await group.waitForAll()
        }
        #expect(work.unfinishedCount == 0)
        #expect(runner.runningCount == 0)
    }

    /// Who ends a job in the moment of its own end is told that it has ended, or has ended it.
    @Test func aJobThatEndsWhileItIsEndedHasEnded() async throws {
        let folder = try TemporaryFolder()
        let state = try await StateStore(folder: folder.path)
        defer { state.close() }
        let runner = JobRunner(
            state: state, work: HastyWork(), widths: JobRunner.Widths(),
            environment: TestClock().environment, log: SilentLog())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run(graceSeconds: 0) }
            for number in 0..<200 {
                let job = try await runner.submit(.backup(BackupRequest()), by: .service)
                try await Task.sleep(for: .microseconds(number * 20))
                do {
                    _ = try await runner.cancel(job.id)
                } catch let error as JobFailure {
                    #expect(error.code == "already_finished", "\(error)")
                }
                let ended = try await runner.wait(for: job.id, seconds: 20)
                #expect(ended.map { [.canceled, .succeeded].contains($0.status) } == true)
            }
            runner.beginShutdown()
            try await group.waitForAll()
        }
        #expect(runner.live.withLock { $0.canceled } == [])
    }

    @Test func jobsThatWaitAtAShutdownAreEndedAndCanBeGoneOnWith() async throws {
        let folder = try TemporaryFolder()
        let clock = TestClock()
        let state = try await StateStore(folder: folder.path)
        defer { state.close() }
        let runner = JobRunner(
            state: state, work: PatientWork(), widths: JobRunner.Widths(),
            environment: clock.environment, log: SilentLog())
        for _ in 0..<5 { _ = try await runner.submit(.backup(BackupRequest()), by: .service) }
        runner.beginShutdown()
        await runner.run(graceSeconds: 0)
        let jobs = try await state.jobs().jobs
        #expect(jobs.map(\.status) == Array(repeating: .canceled, count: 5))
        #expect(jobs.allSatisfy { $0.error?.contains("shutting_down") == true && $0.isResumable })
        await #expect(throws: JobFailure.self) {
            try await runner.submit(.backup(BackupRequest()), by: .service)
        }
    }

    @Test func aJobThatIsBeingDoneAtAShutdownIsEndedAfterItsGrace() async throws {
        let folder = try TemporaryFolder()
        let clock = TestClock()
        let state = try await StateStore(folder: folder.path)
        defer { state.close() }
        let work = PatientWork()
        let runner = JobRunner(
            state: state, work: work, widths: JobRunner.Widths(), environment: clock.environment,
            log: SilentLog())
        let job = try await runner.submit(.backup(BackupRequest()), by: .service)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run(graceSeconds: 0) }
            while work.unfinishedCount == 0 { await Task.yield() }
            runner.beginShutdown()
            try await group.waitForAll()
        }
        let ended = try await state.job(job.id)
        #expect(ended?.status == .canceled)
        #expect(ended?.error?.contains("shutting_down") == true)
    }
}
