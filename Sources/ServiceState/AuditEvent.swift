/// What came of something that is audited; others than these may be used.
public struct AuditOutcome: RawRepresentable, Hashable, Sendable {
    /// The word that is written down.
    public let rawValue: String

    /// An outcome of that name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It was allowed, and what came of it is not known yet.
    public static let allowed = AuditOutcome(rawValue: "allowed")
    /// It was allowed, and the process died before what came of it was written down.
    public static let unknown = AuditOutcome(rawValue: "unknown")
    /// It was not allowed.
    public static let denied = AuditOutcome(rawValue: "denied")
    /// It was done.
    public static let succeeded = AuditOutcome(rawValue: "succeeded")
    /// It was tried and not done.
    public static let failed = AuditOutcome(rawValue: "failed")
}

/// Who did what, for the audit log.
public struct AuditEvent: Hashable, Sendable {
    /// When.
    public var at: Int64
    /// Who.
    public var subject: String
    /// In which role.
    public var role: String?
    /// From which address.
    public var address: String?
    /// By which HTTP request.
    public var requestID: String?
    /// What was done, such as `backup.restore`.
    public var action: String
    /// To what, such as a snapshot's id.
    public var resource: String?
    /// What came of it.
    public var outcome: AuditOutcome
    /// The HTTP status that was answered.
    public var status: Int?
    /// Anything else, as JSON.
    public var details: String?

    /// An event.
    public init(
        at: Int64, subject: String, role: String? = nil, address: String? = nil,
        requestID: String? = nil, action: String, resource: String? = nil, outcome: AuditOutcome,
        status: Int? = nil, details: String? = nil
    ) {
        self.at = at
        self.subject = subject
        self.role = role
        self.address = address
        self.requestID = requestID
        self.action = action
        self.resource = resource
        self.outcome = outcome
        self.status = status
        self.details = details
    }
}

/// An entry of the audit log.
public struct AuditEntry: Hashable, Sendable {
    /// Its place, from 1 on without gaps.
    public let sequence: Int64
    /// Who did what.
    public let event: AuditEvent
    /// The hash of the entry before, or zeros; 64 hexadecimal digits.
    public let previousHash: String
    /// The hash of this entry, which covers `previousHash`; 64 hexadecimal digits.
    public let hash: String
}

/// The end of the audit log: one hash that stands for all its entries. Noted elsewhere, it proves
/// later that no entry up to there was changed or removed.
public struct AuditHead: Hashable, Sendable {
    /// The head of an empty log.
    public static let empty = AuditHead(count: 0, hash: String(repeating: "0", count: 64))

    /// How many entries there are.
    public let count: Int64
    /// The hash of the last one, or zeros; 64 hexadecimal digits.
    public let hash: String

    /// A head that was noted.
    public init(count: Int64, hash: String) {
        self.count = count
        self.hash = hash
    }
}

/// Which audit entries are wanted: those that match everything that is not nil.
public struct AuditFilter: Hashable, Sendable {
    /// Who.
    public var subject: String?
    /// What was done.
    public var action: String?
    /// To what.
    public var resource: String?
    /// What came of it.
    public var outcome: AuditOutcome?
    /// The first instant.
    public var since: Int64?
    /// The instant before which it was.
    public var until: Int64?

    /// All entries, unless something is named.
    public init(
        subject: String? = nil, action: String? = nil, resource: String? = nil,
        outcome: AuditOutcome? = nil, since: Int64? = nil, until: Int64? = nil
    ) {
        self.subject = subject
        self.action = action
        self.resource = resource
        self.outcome = outcome
        self.since = since
        self.until = until
    }
}

/// Some entries of the audit log, newest first.
public struct AuditPage: Hashable, Sendable {
    /// The entries of this page.
    public let entries: [AuditEntry]
    /// Where the next page begins; nil when this is the last.
    public let nextCursor: String?
    /// How many entries there are on all pages.
    public let totalCount: Int
}
