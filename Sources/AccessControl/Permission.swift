/// One action on one kind of resource, as `backups:restore`. There are no others than those listed
/// here: a text that names none of them is a mistake, not a permission nobody has.
public struct Permission: RawRepresentable, Hashable, Sendable, Comparable,
    CustomStringConvertible
{
    /// What is acted on, as `backups`.
    public let resource: String
    /// What is done to it, as `restore`.
    public let action: String

    /// The permission of that name, or nil when there is none.
    public init?(rawValue: String) {
        guard let known = Self.byName[rawValue] else { return nil }
        self = known
    }

    private init(_ resource: String, _ action: String) {
        self.resource = resource
        self.action = action
    }

    /// Resource and action with a colon between: what a refusal names.
    public var rawValue: String { "\(resource):\(action)" }
    /// The same as ``rawValue``.
    public var description: String { rawValue }

    /// By name.
    public static func < (left: Permission, right: Permission) -> Bool {
        left.rawValue < right.rawValue
    }

    /// List backups, look into them, see jobs and statistics.
    public static let backupsRead = Permission("backups", "read")
    /// Take a backup, or change when they are taken.
    public static let backupsCreate = Permission("backups", "create")
    /// Check a backup byte by byte.
    public static let backupsVerify = Permission("backups", "verify")
    /// Put a backup's data back.
    public static let backupsRestore = Permission("backups", "restore")
    /// Delete a backup.
    public static let backupsDelete = Permission("backups", "delete")
    /// Delete what retention no longer wants.
    public static let backupsCleanup = Permission("backups", "cleanup")
    /// Search collections.
    public static let contentSearch = Permission("content", "search")
    /// Export collections.
    public static let contentExport = Permission("content", "export")
    /// Look for faults in collections.
    public static let contentValidate = Permission("content", "validate")
    /// Mend them.
    public static let contentFix = Permission("content", "fix")
    /// See and change mail templates.
    public static let mailTemplates = Permission("mail", "templates")
    /// Send mail, and look after the queue.
    public static let mailSend = Permission("mail", "send")
    /// See what users do.
    public static let engagementRead = Permission("engagement", "read")
    /// Make and run campaigns.
    public static let engagementCampaigns = Permission("engagement", "campaigns")
    /// See pools, caches, slow queries and maintenance.
    public static let scalabilityRead = Permission("scalability", "read")
    /// Clear caches, write batches, run maintenance.
    public static let scalabilityChange = Permission("scalability", "change")
    /// See who has which role, and the matrix.
    public static let rolesRead = Permission("roles", "read")
    /// Assign roles, change the matrix. It is as good as every permission, so that it is reserved
    /// to ``Role/superAdmin``.
    public static let rolesChange = Permission("roles", "change")
    /// Read the audit log.
    public static let auditRead = Permission("audit", "read")
    /// Change how it is kept.
    public static let auditChange = Permission("audit", "change")
    /// See the security checklist, errors and readiness.
    public static let securityRead = Permission("security", "read")
    /// Change security settings.
    public static let securityChange = Permission("security", "change")
    /// See one's own dashboard.
    public static let dashboardRead = Permission("dashboard", "read")

    /// All there are, in the order of the documented table.
    public static let all: [Permission] = [
        backupsRead, backupsCreate, backupsVerify, backupsRestore, backupsDelete, backupsCleanup,
        contentSearch, contentExport, contentValidate, contentFix,
        mailTemplates, mailSend,
        engagementRead, engagementCampaigns,
        scalabilityRead, scalabilityChange,
        rolesRead, rolesChange, auditRead, auditChange, securityRead, securityChange,
        dashboardRead,
    ]

    /// Those that the matrix cannot grant to anybody but ``Role/superAdmin``.
    public static let reserved: Set<Permission> = [rolesChange]

    private static let byName = Dictionary(
        all.map { ($0.rawValue, $0) }, uniquingKeysWith: { first, _ in first })
}

extension Permission: Codable {
    /// From its name.
    ///
    /// - Throws: `DecodingError.dataCorrupted` when there is no such permission.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let known = Permission(rawValue: name) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "no permission of that name")
        }
        self = known
    }

    /// Its name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
