/// Which snapshots are to go. One goes when it is too old or beyond the count, unless a rule keeps
/// it.
public struct RetentionPolicy: Hashable, Sendable {
    /// The largest of all numbers here.
    public static let numberMax = 100_000

    /// Days after which a snapshot goes; nil for never.
    public var maxAgeDays: Int? = 30
    /// How many snapshots there may be, and how many that restores made of what they replaced; nil
    /// for any number. The rules below are not about the latter.
    public var maxCount: Int? = 30
    /// So many of the newest stay; nil for no such rule.
    public var keepLast: Int?
    /// The newest of a day stays, of so many of the last days (UTC) that have one.
    public var keepDaily: Int?
    /// The newest of a week, which begins on Monday.
    public var keepWeekly: Int?
    /// The newest of a month.
    public var keepMonthly: Int?

    /// 30 days, at most 30 snapshots.
    public init() {}

    /// Checks that every number is from 1 to `numberMax`.
    ///
    /// - Throws: `usage`.
    public func check() throws(SnapshotError) {
        let numbers = [
            ("max age in days", maxAgeDays), ("max count", maxCount), ("keep last", keepLast),
            ("keep daily", keepDaily), ("keep weekly", keepWeekly), ("keep monthly", keepMonthly),
        ]
        for (name, number) in numbers {
            guard let number, !(1...Self.numberMax).contains(number) else { continue }
            throw SnapshotError(
                .usage, "the retention's \(name) is a number from 1 to \(Self.numberMax)")
        }
    }
}

/// What is to become of a snapshot, and why.
public struct RetentionDecision: Hashable, Sendable {
    /// What becomes of it.
    public enum Action: String, Sendable {
        case keep
        case remove
    }

    /// A reason, for machines and for people.
    public struct Reason: Hashable, Sendable {
        /// Stable.
        public let code: Code
        /// A clause in plain words.
        public let sentence: String
    }

    /// What can be a reason.
    public enum Code: String, Sendable, CaseIterable {
        case tooOld = "too_old"
        case beyondCount = "beyond_count"
        case withinLimits = "within_limits"
        case keepLast = "keep_last"
        case keepDaily = "keep_daily"
        case keepWeekly = "keep_weekly"
        case keepMonthly = "keep_monthly"
        case inUse = "in_use"
        case damaged
        /// It is the newest that is known to be whole.
        case lastVerified = "last_verified"
        /// None was verified, and it is the newest that seems to be whole.
        case lastWhole = "last_whole"
        /// Its date is still to come, so that nobody knows how old it is.
        case fromTheFuture = "from_the_future"
    }

    public let overview: SnapshotCatalog.Overview
    public internal(set) var action: Action
    /// All of them: those for its going first.
    public internal(set) var reasons: [Reason]

    public var id: SnapshotID { overview.id }
}
