/// Work that is done again and again: when, what, and what of it is kept.
public struct ScheduleRecord: Hashable, Sendable {
    /// What tells it from other schedules.
    public var name: String
    /// A cron expression, which is not looked at here.
    public var cron: String
    /// The IANA name of the time zone that the expression is of.
    public var timeZone: String
    /// Whether it runs at all.
    public var isEnabled: Bool
    /// By how much a run may be late, at random.
    public var jitterSeconds: Int
    /// What is done, as JSON.
    public var request: String
    /// What is kept, as JSON; nil for everything.
    public var retention: String?
    /// Whether each backup is verified.
    public var verifies: Bool
    /// When it runs next; nil when that is not known.
    public var nextRunAt: Int64?
    /// When it ran last; nil before the first run.
    public var lastRunAt: Int64?
    /// The job that the last run made.
    public var lastJobID: String?
    /// When somebody changed it.
    public var updatedAt: Int64
    /// Who did.
    public var updatedBy: String

    /// A schedule that has not run yet, unless said otherwise.
    public init(
        name: String, cron: String, timeZone: String, isEnabled: Bool = true,
        jitterSeconds: Int = 0, request: String, retention: String? = nil, verifies: Bool = false,
        nextRunAt: Int64? = nil, lastRunAt: Int64? = nil, lastJobID: String? = nil,
        updatedAt: Int64, updatedBy: String
    ) {
        self.name = name
        self.cron = cron
        self.timeZone = timeZone
        self.isEnabled = isEnabled
        self.jitterSeconds = jitterSeconds
        self.request = request
        self.retention = retention
        self.verifies = verifies
        self.nextRunAt = nextRunAt
        self.lastRunAt = lastRunAt
        self.lastJobID = lastJobID
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
    }
}
