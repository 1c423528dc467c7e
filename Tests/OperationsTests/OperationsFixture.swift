import Foundation
import ObjectStorage
import ServiceState
import Snapshots
import Synchronization
import Testing

@testable import Operations

/// A clock that a test sets, and numbers that never repeat.
final class ManualTime: Sendable {
    private let state = Mutex<(now: Int64, next: UInt64)>(
        (1_795_000_000_000, UInt64.random(in: 0...0xF_FFFF)))

    /// Called at each look at the clock, before it.
    let onLook = Mutex<(@Sendable () -> Void)?>(nil)

    var now: Int64 { state.withLock { $0.now } }

    func advance(milliseconds: Int64) {
        state.withLock { $0.now += milliseconds }
    }

    var environment: JobEnvironment {
        JobEnvironment(
            now: {
                self.onLook.withLock { $0 }?()
                return self.now
            },
            random: {
                self.state.withLock { state in
                    state.next += 1
                    return state.next
                }
            })
    }
}

/// Remembers what it was told.
final class RecordedLog: OperationsLog {
    private let state = Mutex<(finished: [JobRecord], failures: [String])>(([], []))
    let givenUp = Recorded<StuckJob>()
    /// What was noticed, as it comes.
    let notices = AsyncStream.makeStream(of: String.self)

    var finished: [JobRecord] { state.withLock { $0.finished } }
    var failures: [String] { state.withLock { $0.failures } }

    func finished(_ job: JobRecord) { state.withLock { $0.finished.append(job) } }
    func failed(_ what: String, job: String?, _ error: any Error) {
        state.withLock { $0.failures.append("\(what): \(error)") }
    }
    func noticed(_ message: String, job: String?) { notices.continuation.yield(message) }
    func gaveUp(_ job: StuckJob) { givenUp.add(job) }
    func removed(_ snapshot: String, isAsked: Bool, hasSucceeded: Bool) {}
}

/// Work whose course a test decides: by the description of a backup's request.
struct ScriptedWork: JobWork {
    /// Jobs that have begun, in order.
    let begun = AsyncStream.makeStream(of: String.self)
    /// Yielding lets one job that waits go on.
    let gate = Gate()
    let assignments = Recorded<JobAssignment>()

    func perform(
        _ job: JobAssignment, _ observer: any JobObserver,
        note: @escaping @Sendable (String) async throws -> Void
    ) async throws -> JobOutcome {
        assignments.add(job)
        begun.continuation.yield(job.id)
        observer.progressed(JobProgress(phase: .reading, byteCountTotal: 10))
        observer.noticed("it has begun")
        guard case .backup(let request) = job.request else {
            return JobOutcome(result: "{}")
        }
        switch request.description {
        case "wait":
            try await gate.wait()
            return JobOutcome(result: "{\"waited\":true}")
        case "commit":
            observer.progressed(JobProgress(phase: .publishing, isCommit: true))
            await gate.waitWhateverComes()
            throw SnapshotError(.cancelled, "cancelled", alreadyLive: "already there: d.a")
        case "stuck":
            await gate.waitWhateverComes()
            return JobOutcome(result: "{\"late\":true}")
        case "fail": throw JobFailure("scripted", "it was to fail")
        case "remove":
            job.removals.add("20261124T084512Z-manual-3f9a1c")
            throw JobFailure("scripted", "it was to fail after a removal")
        case "lose": return try await loseLock(observer)
        case "partial": return JobOutcome(result: "{}", isPartial: true)
        case "note":
            try await note("20261124T084512Z-pre_restore-3f9a1c")
            throw JobFailure("scripted", "it was to fail after its note")
        default: return JobOutcome(result: "{\"done\":true}")
        }
    }
}

extension ScriptedWork {
    /// Works under a lock that somebody takes away.
    private func loseLock(_ observer: any JobObserver) async throws -> JobOutcome {
        let folder = NSTemporaryDirectory() + "cairn-lost-lock-\(UUID().uuidString)"
        let store = try await FileSystemStore(folder: folder, create: true)
        defer { unlinkFolder(folder) }
        let locks = RepositoryLocks(
            store, environment: .system, heartbeat: .milliseconds(20))
        return try await locks.withLock(LockClaim(.verify), observer: observer) {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
            try await gate.wait()
            return JobOutcome(result: "{}")
        }
    }

    private func unlinkFolder(_ folder: String) {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left: \(folder)") }
    }
}

/// Values in the order in which they came.
final class Recorded<Value: Sendable>: Sendable {
    private let state = Mutex<[Value]>([])

    var values: [Value] { state.withLock { $0 } }

    func add(_ value: Value) { state.withLock { $0.append(value) } }
}

/// Holds tasks until it is opened, or they are cancelled.
final class Gate: Sendable {
    private let stream = AsyncStream.makeStream(of: Never.self)
    private let isOpen = Mutex(false)

    func open() {
        isOpen.withLock { $0 = true }
        stream.continuation.finish()
    }

    /// Also when the task is cancelled: that is what it is for.
    func waitWhateverComes() async {
        while !isOpen.withLock({ $0 }) {
            await Task { do { try await Task.sleep(for: .milliseconds(5)) } catch {} }.value
        }
    }

    func wait() async throws {
        while !isOpen.withLock({ $0 }) {
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// A runner over a state folder of its own.
final class OperationsFixture {
    let folder: String
    let time = ManualTime()
    let log = RecordedLog()
    let work = ScriptedWork()
    let state: StateStore
    let runner: JobRunner

    init(
        folder: String? = nil, widths: JobRunner.Widths = JobRunner.Widths(),
        cancelSeconds: Double = 60, commitSeconds: Double = 600
    ) async throws {
        self.folder = folder ?? NSTemporaryDirectory() + "cairn-operations-\(UUID().uuidString)"
        state = try await StateStore(folder: self.folder)
        runner = JobRunner(
            state: state, work: work, widths: widths, environment: time.environment, log: log,
            cancelSeconds: cancelSeconds, commitSeconds: commitSeconds)
    }

    deinit {
        state.close()
    }

    /// Runs the runner beside `body`.
    func running<Result: Sendable>(
        graceSeconds: Double = 0, _ body: () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [runner] in await runner.run(graceSeconds: graceSeconds) }
            do {
                let result = try await body()
                runner.beginShutdown()
                try await group.waitForAll()
                return result
            } catch {
                runner.beginShutdown()
                work.gate.open()
                throw error
            }
        }
    }

    /// Asks for a backup that goes as the word says.
    func submit(_ script: String? = nil) async throws -> JobRecord {
        var request = BackupRequest()
        request.description = script
        return try await runner.submit(
            .backup(request), by: JobRunner.Submitter(subject: "ann", role: "admin"))
    }

    /// The job once it has ended.
    func ended(_ job: JobRecord) async throws -> JobRecord {
        try #require(try await runner.wait(for: job.id, seconds: 60))
    }

    func remove() throws {
        try FileManager.default.removeItem(atPath: folder)
    }
}
