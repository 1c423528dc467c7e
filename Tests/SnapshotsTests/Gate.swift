import Dispatch
import Foundation
import Snapshots
import Synchronization
import Testing

/// Stops a job at a progress report until the test has done something on the server.
///
/// An observer cannot wait without blocking its thread, so the job has threads of its own: those
/// that tests share, one a processor, are free to open gates.
final class Gate: Sendable {
    private let isPlace: @Sendable (JobProgress) -> Bool
    private let isPassed = Mutex(false)
    private let isOpen = DispatchSemaphore(value: 0)
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    /// - Parameter isPlace: whether the job stops at this report; it does so once.
    init(_ isPlace: @escaping @Sendable (JobProgress) -> Bool) {
        self.isPlace = isPlace
        (arrivals, arrival) = AsyncStream.makeStream()
    }

    /// Runs a job, and `body` while it stands at the gate.
    func run<Result: Sendable>(
        _ job: @escaping @Sendable (RecordingObserver) async throws -> Result,
        meanwhile body: () async throws -> Void
    ) async throws -> Result {
        let observer = RecordingObserver { self.pass($0) }
        async let result = Self.finishing(arrival) { try await job(observer) }
        var wasReached = false
        for await _ in arrivals {
            wasReached = true
            break
        }
        defer { isOpen.signal() }
        #expect(wasReached, "the job came to the gate")
        if wasReached { try await body() }
        isOpen.signal()
        return try await result
    }

    private func pass(_ progress: JobProgress) {
        guard isPlace(progress),
            isPassed.withLock({
                let was = $0; $0 = true; return !was
            })
        else {
            return
        }
        arrival.yield()
        guard isOpen.wait(timeout: .now() + 120) == .success else {
            Issue.record("nobody opened the gate")
            return
        }
    }

    private static func finishing<Result: Sendable>(
        _ arrival: AsyncStream<Void>.Continuation, _ job: () async throws -> Result
    ) async throws -> Result {
        defer { arrival.finish() }
        return try await withTaskExecutorPreference(BlockableThreads.shared, operation: job)
    }
}

/// Runs tasks that may block: as many threads as are needed.
private final class BlockableThreads: TaskExecutor {
    static let shared = BlockableThreads()

    private let queue = DispatchQueue(label: "cairn.tests.gates", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Suites in which a job is stopped, blocked or cut off: one test at a time.
@Suite(.needsServer, .serialized) enum InterruptedJobTests {}

/// Cancels a task from within.
final class Canceller: Sendable {
    private let cancel = Mutex<(@Sendable () -> Void)?>(nil)

    /// Runs a job that is cancelled at the first report that fits; gives what it threw.
    func run(
        at isPlace: @escaping @Sendable (JobProgress) -> Bool,
        _ job: @escaping @Sendable (RecordingObserver) async throws -> Void
    ) async -> (any Error)? {
        let observer = RecordingObserver { progress in
            if isPlace(progress) { self.cancelTask() }
        }
        let task = Task { () -> (any Error)? in
            do {
                try await job(observer)
                return nil
            } catch {
                return error
            }
        }
        cancel.withLock { $0 = { task.cancel() } }
        return await task.value
    }

    private func cancelTask() {
        while true {
            if let cancel = cancel.withLock({ $0 }) { return cancel() }
            usleep(100)
        }
    }
}
