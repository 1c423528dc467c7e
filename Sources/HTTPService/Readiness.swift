internal import AccessControl
internal import Operations
internal import ServiceState
internal import Synchronization

/// Whether backups and restores can be made: state, repository, database server and keys are there,
/// and no job is stuck.
///
/// What was found counts for a second, and one look at a time is made of each, however often it is
/// asked for: each costs a connection to the database, and a write.
struct Readiness: Sendable {
    /// One of the things that have to be there.
    struct Check: Sendable {
        var name: String
        var isReady: Bool
        /// Why not; nil when it is.
        var code: String?
    }

    private let server: ReadinessProbe
    private let repository: ReadinessProbe
    private let records: ReadinessProbe
    private let verifier: TokenVerifier
    private let runner: JobRunner

    init(
        state: StateStore, snapshots: SnapshotLibrary, verifier: TokenVerifier, runner: JobRunner,
        cachedSeconds: Double
    ) {
        func probe(
            _ name: String, _ look: @escaping @Sendable () async throws -> Void
        ) -> ReadinessProbe {
            ReadinessProbe(name, cachedTime: .seconds(cachedSeconds), look)
        }
        server = probe("database") { try await snapshots.checkServer() }
        repository = probe("repository") { try await snapshots.checkRepository() }
        records = probe("state") { try await state.checkWritable() }
        self.verifier = verifier
        self.runner = runner
    }

    /// Looks at all of them at once.
    func checks() async -> [Check] {
        async let server = server.check()
        async let repository = repository.check()
        async let records = records.check()
        let hasKeys = verifier.keySetStatus?.keyCount != 0
        let isStuck = !runner.stuckJobs.isEmpty
        return await [
            server, repository, records,
            Check(name: "keys", isReady: hasKeys, code: hasKeys ? nil : "no_keys"),
            Check(name: "jobs", isReady: !isStuck, code: isStuck ? "job_stuck" : nil),
        ]
    }
}

/// Finds out whether one thing is there: once at a time, and once a second at most.
final class ReadinessProbe: Sendable {
    private struct State {
        var isLooking = false
        var found: (check: Readiness.Check, at: ContinuousClock.Instant)?
        var nextNumber = 0
        var waiting: [Int: CheckedContinuation<Readiness.Check, Never>] = [:]
    }

    /// How long it is waited for; the look itself goes on.
    private static let waitTime = Duration.seconds(5)

    private let name: String
    private let cachedTime: Duration
    private let look: @Sendable () async throws -> Void
    private let state = Mutex(State())

    /// - Parameter cachedTime: for how long what was found counts.
    init(
        _ name: String, cachedTime: Duration, _ look: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.cachedTime = cachedTime
        self.look = look
    }

    /// What was found within the last second, or is found now; "timeout" when that takes too long.
    func check() async -> Readiness.Check {
        await withCheckedContinuation { continuation in
            let (known, number, mustLook) = state.withLock {
                state -> (Readiness.Check?, Int, Bool) in
                if let found = state.found, .now - found.at < cachedTime, !state.isLooking {
                    return (found.check, 0, false)
                }
                state.nextNumber += 1
                state.waiting[state.nextNumber] = continuation
                defer { state.isLooking = true }
                return (nil, state.nextNumber, !state.isLooking)
            }
            if let known { return continuation.resume(returning: known) }
            // Not children of the caller: a look that hangs must not keep the answer.
            if mustLook { Task { await self.lookNow() } }
            Task {
                do { try await Task.sleep(for: Self.waitTime) } catch {}
                self.giveUp(number)
            }
        }
    }

    private func lookNow() async {
        var check = Readiness.Check(name: name, isReady: true)
        do {
            try await look()
        } catch {
            check = Readiness.Check(name: name, isReady: false, code: JobFailure(error).code)
        }
        let waiting = state.withLock { [check] state in
            defer { state.waiting = [:] }
            state.isLooking = false
            state.found = (check, .now)
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(returning: check) }
    }

    private func giveUp(_ number: Int) {
        let continuation = state.withLock { $0.waiting.removeValue(forKey: number) }
        continuation?.resume(
            returning: Readiness.Check(name: name, isReady: false, code: "timeout"))
    }
}
