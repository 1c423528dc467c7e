/// How far a job has come. Cheap to make; given after each chunk.
public struct JobProgress: Sendable {
    /// What a job is doing.
    public enum Phase: String, Sendable {
        case reading
        case measuring
        case verifying
        case loading
        case comparing
        case replaying
        case publishing
    }

    public var phase: Phase
    public var documentCount: UInt64 = 0
    /// Bytes of documents, uncompressed.
    public var byteCount: UInt64 = 0
    /// Bytes of documents that there are in all; nil when unknown. An estimate while a backup
    /// reads.
    public var byteCountTotal: UInt64?
    /// What is being worked on, such as a namespace.
    public var subject: String?
    /// Whether live data is being put in place: whoever cuts the job off now leaves it between what
    /// it was and the snapshot.
    public var isCommit = false

    /// How long a job that is putting live data in place may take to end once it is cancelled, in
    /// seconds; others are given less.
    public static let commitSecondsMax = 600.0

    public init(
        phase: Phase, byteCountTotal: UInt64? = nil, subject: String? = nil, isCommit: Bool = false
    ) {
        self.isCommit = isCommit
        self.phase = phase
        self.byteCountTotal = byteCountTotal
        self.subject = subject
    }
}

/// What a job tells while it runs. Called from one task at a time, from any thread; must return
/// soon.
public protocol JobObserver: Sendable {
    /// The job has come so far.
    func progressed(_ progress: JobProgress)
    /// Something that the user should know although the job goes on: one sentence, no period.
    func noticed(_ message: String)
}
