/// What a check of the audit log found.
public struct AuditVerification: Hashable, Sendable {
    /// Entries that are whole, from the first on: all of them when there is no defect in the chain.
    public let entryCount: Int64
    /// The head of those entries.
    public let head: AuditHead
    /// The first defect; nil when everything is as it was written.
    public let firstDefect: AuditDefect?

    /// Whether everything is as it was written.
    public var isWhole: Bool { firstDefect == nil }
}

/// What is wrong with the audit log, and where.
public struct AuditDefect: Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of defect; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name as reports show it.
        public let rawValue: String

        /// A code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// An entry is not what its hash says.
        public static let changed = Code(rawValue: "changed")
        /// An entry is missing before another one.
        public static let missing = Code(rawValue: "missing")
        /// There is an entry where none can be.
        public static let inserted = Code(rawValue: "inserted")
        /// An entry does not follow the one before: one of both is another than was written.
        public static let unlinked = Code(rawValue: "unlinked")
        /// Entries are missing at the end.
        public static let truncated = Code(rawValue: "truncated")
        /// The entry that a head names is another one, though it fits those before.
        public static let replaced = Code(rawValue: "replaced")
        /// The file `audit.head`, or the database's own head, is gone or can't be read.
        public static let headUnreadable = Code(rawValue: "head_unreadable")
    }

    /// Which kind of defect it is.
    public let code: Code
    /// The entry where it shows.
    public let sequence: Int64
    /// What is wrong, in a few words; lowercase, no period.
    public let message: String

    /// Entry and message as a line for people.
    public var description: String { "entry \(sequence): \(message)" }
}
