internal import Foundation
internal import Operations
internal import ServiceState
internal import SnapshotJSON
internal import Snapshots
internal import Synchronization
internal import Testing

@testable internal import HTTPService

/// A process that is told to end does.
@Suite struct ShutdownTests {
    /// Work that takes no notice of being told to end.
    private final class StuckWork: JobWork {
        /// Whether it puts live data in place.
        let isCommit: Bool
        let begun = AsyncStream.makeStream(of: String.self)
        let isOver = Mutex(false)

        init(isCommit: Bool = false) {
            self.isCommit = isCommit
        }

        func perform(
            _ job: JobAssignment, _ observer: any JobObserver,
            note: @escaping @Sendable (String) async throws -> Void
        ) async throws -> JobOutcome {
            observer.progressed(JobProgress(phase: .publishing, isCommit: isCommit))
            begun.continuation.yield(job.id)
            while !isOver.withLock({ $0 }) {
                await Task { do { try await Task.sleep(for: .milliseconds(5)) } catch {} }.value
            }
            return JobOutcome(result: "{}")
        }
    }

    @Test func aThirdSignalEndsTheProcessAndNamesWhatIsStuck() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let state = try await StateStore(folder: fixture.options.stateFolder)
        defer { state.close() }
        let work = StuckWork()
        let metrics = ServiceMetrics()
        let runner = JobRunner(
            state: state, work: work, widths: JobRunner.Widths(),
            environment: fixture.clock.environment,
            log: ServiceLog(logger: fixture.log.logger, metrics: metrics), cancelSeconds: 0.05)
        let statuses = AsyncStream.makeStream(of: Int32.self)
        let watch = ShutdownWatch(runner, graceSeconds: 100_000, logger: fixture.log.logger) {
            statuses.continuation.yield($0)
        }
        let job = try await runner.submit(.backup(BackupRequest()), by: .service)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run(graceSeconds: 100_000) }
            var begun = work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            watch.hasSignal()
            await #expect(throws: JobFailure.self) {
                try await runner.submit(.backup(BackupRequest()), by: .service)
            }
            // The grace is over: the job is cancelled, and given up.
            watch.hasSignal()
            await group.waitForAll()
        }
        #expect(runner.stuckJobs.map(\.id) == [job.id])
        #expect(try await state.job(job.id)?.error?.contains("gave_up") == true)
        watch.hasSignal()
        var ended = statuses.stream.makeAsyncIterator()
        #expect(await ended.next() == CairnService.gaveUpStatus)
        #expect(fixture.log.text.contains(job.id))
        work.isOver.withLock { $0 = true }
    }

    /// It would leave live data between what it was and the snapshot.
    @Test func aProcessWaitsForWhatIsPutInPlace() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let state = try await StateStore(folder: fixture.options.stateFolder)
        defer { state.close() }
        let work = StuckWork(isCommit: true)
        let runner = JobRunner(
            state: state, work: work, widths: JobRunner.Widths(),
            environment: fixture.clock.environment,
            log: ServiceLog(logger: fixture.log.logger, metrics: ServiceMetrics()),
            cancelSeconds: 0.05)
        let status = Mutex<Int32?>(nil)
        let watch = ShutdownWatch(runner, graceSeconds: 0, logger: fixture.log.logger) { code in
            status.withLock { $0 = code }
        }
        _ = try await runner.submit(.backup(BackupRequest()), by: .service)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run(graceSeconds: 0) }
            var begun = work.begun.stream.makeAsyncIterator()
            _ = await begun.next()
            watch.hasSignal()
            // Longer than the time of jobs that may be cut off.
            try await Task.sleep(for: .seconds(7))
            #expect(status.withLock { $0 } == nil)
            work.isOver.withLock { $0 = true }
            try await group.waitForAll()
        }
        while status.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(status.withLock { $0 } == 0)
    }
}
