/// How far a job is.
public enum JobStatus: String, Hashable, Sendable, CaseIterable {
    /// It waits to be begun.
    case pending = "PENDING"
    /// It is worked on.
    case inProgress = "IN_PROGRESS"
    /// Everything that was asked for is done and proven.
    case succeeded = "SUCCEEDED"
    /// It is done but for something that its result names.
    case partiallyFailed = "PARTIALLY_FAILED"
    /// It is not done; its error says why.
    case failed = "FAILED"
    /// Somebody stopped it.
    case canceled = "CANCELED"

    /// Whether the job has ended, which never changes again.
    public var isTerminal: Bool { self != .pending && self != .inProgress }

    /// Whether a job may go from this status to another one at once.
    public func mayBecome(_ next: JobStatus) -> Bool {
        switch self {
        case .pending: [.inProgress, .canceled, .failed].contains(next)
        case .inProgress: next.isTerminal
        default: false
        }
    }
}

/// One piece of long work: what was asked for, how far it is, and what came of it.
public struct JobRecord: Hashable, Sendable, Identifiable {
    /// Chosen by whoever makes the job.
    public var id: String
    /// `backup`, `restore`, `preview`, `verify` and the like.
    public var kind: String
    /// How far it is.
    public var status: JobStatus
    /// The subject that asked for it.
    public var createdBy: String
    /// In which role.
    public var role: String?
    /// When it was asked for.
    public var createdAt: Int64
    /// When work on it began; nil before.
    public var startedAt: Int64?
    /// When it ended; nil before.
    public var finishedAt: Int64?
    /// What was asked for, as JSON.
    public var request: String
    /// The snapshot that it makes, reads or is about.
    public var snapshotID: String?
    /// The last that is known of its progress, as JSON.
    public var progress: String?
    /// What came of it, as JSON.
    public var result: String?
    /// Why it failed, as JSON.
    public var error: String?
    /// The job that it resumes.
    public var resumes: String?
    /// The job that resumes it, or has: there is at most one.
    public var resumedBy: String?
    /// Whether another job may resume it once it has ended.
    public var isResumable: Bool
    /// The HTTP request that asked for it.
    public var requestID: String?
    /// The address that the request came from.
    public var address: String?

    /// A job that waits to be begun, unless said otherwise.
    public init(
        id: String, kind: String, status: JobStatus = .pending, createdBy: String,
        createdAt: Int64, startedAt: Int64? = nil, finishedAt: Int64? = nil, request: String,
        snapshotID: String? = nil, progress: String? = nil, result: String? = nil,
        error: String? = nil, resumes: String? = nil, isResumable: Bool = false,
        requestID: String? = nil, address: String? = nil, role: String? = nil,
        resumedBy: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.request = request
        self.snapshotID = snapshotID
        self.progress = progress
        self.result = result
        self.error = error
        self.resumes = resumes
        self.isResumable = isResumable
        self.requestID = requestID
        self.address = address
        self.role = role
        self.resumedBy = resumedBy
    }
}

/// What changes of a job; what is nil stays as it is.
public struct JobUpdate: Hashable, Sendable {
    /// The status that it goes to, which must be one that it may.
    public var status: JobStatus?
    /// How far it is, as JSON.
    public var progress: String?
    /// What came of it, as JSON.
    public var result: String?
    /// Why it failed, as JSON.
    public var error: String?
    /// The snapshot that it makes, reads or is about.
    public var snapshotID: String?
    /// Whether another job may resume it once it has ended.
    public var isResumable: Bool?

    /// A change of what is named.
    public init(
        status: JobStatus? = nil, progress: String? = nil, result: String? = nil,
        error: String? = nil, snapshotID: String? = nil, isResumable: Bool? = nil
    ) {
        self.status = status
        self.progress = progress
        self.result = result
        self.error = error
        self.snapshotID = snapshotID
        self.isResumable = isResumable
    }
}

/// Which jobs are wanted: those that match everything that is not nil.
public struct JobFilter: Hashable, Sendable {
    /// How far they are.
    public var status: JobStatus?
    /// What kind they are of.
    public var kind: String?
    /// The snapshot that they are about.
    public var snapshotID: String?
    /// The subject that asked for them.
    public var createdBy: String?
    /// The first instant of their creation.
    public var since: Int64?
    /// The instant before which they were created.
    public var until: Int64?

    /// All jobs, unless something is named.
    public init(
        status: JobStatus? = nil, kind: String? = nil, snapshotID: String? = nil,
        createdBy: String? = nil, since: Int64? = nil, until: Int64? = nil
    ) {
        self.status = status
        self.kind = kind
        self.snapshotID = snapshotID
        self.createdBy = createdBy
        self.since = since
        self.until = until
    }
}

/// Some jobs of a longer list, newest first.
public struct JobPage: Hashable, Sendable {
    /// The jobs of this page.
    public let jobs: [JobRecord]
    /// Where the next page begins; nil when this is the last.
    public let nextCursor: String?
    /// How many jobs there are on all pages.
    public let totalCount: Int
}
