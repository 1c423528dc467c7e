/// Who may do what, as data: a set of permissions for each role. What it does not grant needs
/// ``Role/superAdmin``, who may do everything whatever it says.
///
/// Its JSON is one object, `{"admin": ["backups:create", …], …}`, with every role and the
/// permissions sorted. On reading, roles may be left out (they have no permissions); unknown roles
/// and permissions are refused, a row of super_admin is read over: it cannot say anything else.
public struct PermissionMatrix: Hashable, Sendable {
    private var granted: [Role: Set<Permission>]

    /// A matrix of these grants.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when a reserved permission is
    ///   granted.
    public init(_ grants: [Role: Set<Permission>]) throws {
        granted = grants.filter { $0.key != .superAdmin }
        for (role, permissions) in granted {
            try permissions.forEach { try Self.checkGrantable($0, to: role) }
        }
    }

    /// For grants known to be allowed.
    private init(standard grants: [Role: Set<Permission>]) {
        granted = grants
    }

    /// Whether the role may do it.
    public func allows(_ role: Role, _ permission: Permission) -> Bool {
        role == .superAdmin || granted[role, default: []].contains(permission)
    }

    /// All that the role may do, in the order of ``Permission/all``.
    public func permissions(of role: Role) -> [Permission] {
        Permission.all.filter { allows(role, $0) }
    }

    /// The roles that may do it, in the order of ``Role/allCases``.
    public func roles(with permission: Permission) -> [Role] {
        Role.allCases.filter { allows($0, permission) }
    }

    /// Lets a role do it from now on.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when the permission is reserved.
    public mutating func grant(_ permission: Permission, to role: Role) throws {
        guard role != .superAdmin else { return }
        try Self.checkGrantable(permission, to: role)
        granted[role, default: []].insert(permission)
    }

    /// Lets a role no longer do it.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` for super_admin, from whom nothing
    /// can   be taken.
    public mutating func revoke(_ permission: Permission, from role: Role) throws {
        guard role != .superAdmin else {
            throw AccessError(configuration: "nothing can be taken away from super_admin")
        }
        granted[role, default: []].remove(permission)
    }

    private static func checkGrantable(_ permission: Permission, to role: Role) throws {
        guard !Permission.reserved.contains(permission) else {
            throw AccessError(
                configuration: "\(permission) is reserved to super_admin, not for \(role.rawValue)")
        }
    }

    /// By what they allow: a role without a row and one with an empty row are equal.
    public static func == (left: PermissionMatrix, right: PermissionMatrix) -> Bool {
        Role.allCases.allSatisfy { left.permissions(of: $0) == right.permissions(of: $0) }
    }

    /// Agrees with `==`.
    public func hash(into hasher: inout Hasher) {
        for role in Role.allCases { hasher.combine(permissions(of: role)) }
    }

    /// What is shipped: the table of the HTTP interface's documentation.
    public static let standard = PermissionMatrix(standard: [
        .admin: [
            .backupsRead, .backupsCreate, .backupsVerify, .contentSearch, .contentExport,
            .contentValidate, .mailTemplates, .mailSend, .engagementRead, .engagementCampaigns,
            .scalabilityRead, .dashboardRead,
        ],
        .contentManager: [
            .contentSearch, .contentExport, .contentValidate, .mailTemplates, .mailSend,
            .engagementRead, .dashboardRead,
        ],
        .moderator: [.contentSearch, .engagementRead, .dashboardRead],
        .analyst: [
            .contentSearch, .contentExport, .engagementRead, .scalabilityRead, .dashboardRead,
        ],
        .viewer: [.backupsRead],
    ])
}

extension PermissionMatrix: Codable {
    /// From the JSON described above.
    ///
    /// - Throws: `DecodingError` for an unknown role or permission; ``AccessError`` with the code
    ///   `configuration` when a reserved permission is granted.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let rows = try container.decode([String: [String]].self)
        var grants: [Role: Set<Permission>] = [:]
        for (name, permissionNames) in rows {
            guard let role = Role(rawValue: name) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "no role of that name: \(name)")
            }
            for permissionName in permissionNames {
                guard let permission = Permission(rawValue: permissionName) else {
                    throw DecodingError.dataCorruptedError(
                        in: container,
                        debugDescription: "no permission of that name: \(permissionName)")
                }
                grants[role, default: []].insert(permission)
            }
        }
        try self.init(grants)
    }

    /// Every role with its permissions, sorted.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let rows = Role.allCases.map { role in
            (role.rawValue, permissions(of: role).sorted().map(\.rawValue))
        }
        try container.encode(Dictionary(rows, uniquingKeysWith: { first, _ in first }))
    }
}
