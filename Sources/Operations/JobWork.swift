internal import ServiceState
internal import SnapshotJSON
public import Snapshots
internal import Synchronization

/// What a job came to.
public struct JobOutcome: Sendable, Hashable {
    /// Whether something was left undone all the same, which the result tells.
    public var isPartial: Bool
    /// JSON.
    public var result: String
    /// The snapshot that was made or read, when it is another than was known before.
    public var snapshot: String?

    public init(result: String, isPartial: Bool = false, snapshot: String? = nil) {
        self.result = result
        self.isPartial = isPartial
        self.snapshot = snapshot
    }
}

extension JobOutcome {
    /// Whether the result is larger than a record may be.
    var isTooLarge: Bool { result.utf8.count > StateLimits.textByteCountMax }

    /// The same, whose result says no more than that it was too large when it was: what was done
    /// is done all the same.
    var keepable: JobOutcome {
        guard isTooLarge else { return self }
        var outcome = self
        outcome.result =
            JSONValue.object([
                "omitted": .string(
                    "the result has more than \(StateLimits.textByteCountMax) bytes")
            ]).text
        return outcome
    }
}

/// A job that is to be done.
public struct JobAssignment: Sendable {
    /// The job's name.
    public var id: String
    public var request: JobRequest
    /// The identifier that a snapshot shall have that it makes.
    public var newSnapshot: String?
    /// Whether it resumes a job that was cut off.
    public var isResumed = false
    /// What it has removed so far.
    public let removals = Removals()
}

/// The snapshots that a job has removed, which must be told however it ends.
public final class Removals: Sendable {
    private let state = Mutex<[String]>([])

    /// In the order in which they went.
    public var ids: [String] { state.withLock { $0 } }

    /// Tells of one.
    public func add(_ id: String) { state.withLock { $0.append(id) } }
}

/// Does jobs: the runner sees to it that they are recorded, cancelled and counted, and knows
/// nothing of what they do.
public protocol JobWork: Sendable {
    /// Does one. Called once a job, from a task of its own, several at the same time. When the task
    /// is cancelled it ends soon and leaves nothing half done.
    ///
    /// - Parameters:
    ///   - observer: is told how it goes.
    ///   - note: tells at once which backup was made of what is replaced.
    /// - Throws: errors of any layer; `JobFailure` knows them all.
    func perform(
        _ job: JobAssignment, _ observer: any JobObserver,
        note: @escaping @Sendable (String) async throws -> Void
    ) async throws -> JobOutcome
}
