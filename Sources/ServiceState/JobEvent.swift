/// Something that happened to a job, for whoever follows it.
public struct JobEvent: Hashable, Sendable, Identifiable {
    /// Larger than that of each earlier event, of any job; never used again.
    public let id: Int64
    /// The job.
    public let jobID: String
    /// What kind of event it is, such as `status` or `progress`.
    public let type: String
    /// What happened, as JSON.
    public let data: String
    /// When.
    public let at: Int64
}

/// An event that was written just now.
public struct WrittenJobEvent: Hashable, Sendable {
    /// The event.
    public let event: JobEvent
    /// The id of the job's event before it; 0 when it is the first.
    public let previousID: Int64
}

/// An event that is to be written with a change of its job.
public struct JobEventDraft: Hashable, Sendable {
    /// What kind of event it is, such as `status` or `progress`.
    public var type: String
    /// What happened, as JSON.
    public var data: String

    /// An event of that kind.
    public init(type: String, data: String) {
        self.type = type
        self.data = data
    }
}
