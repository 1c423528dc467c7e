import AccessControl
import Foundation
import Testing

@Suite struct PermissionMatrixTests {
    /// The table of the HTTP interface's documentation, cell by cell.
    private static let table: [(permission: String, roles: Set<Role>)] = [
        ("backups:read", [.superAdmin, .admin, .viewer]),
        ("backups:create", [.superAdmin, .admin]),
        ("backups:verify", [.superAdmin, .admin]),
        ("backups:restore", [.superAdmin]),
        ("backups:delete", [.superAdmin]),
        ("backups:cleanup", [.superAdmin]),
        ("content:search", [.superAdmin, .admin, .contentManager, .moderator, .analyst]),
        ("content:export", [.superAdmin, .admin, .contentManager, .analyst]),
        ("content:validate", [.superAdmin, .admin, .contentManager]),
        ("content:fix", [.superAdmin]),
        ("mail:templates", [.superAdmin, .admin, .contentManager]),
        ("mail:send", [.superAdmin, .admin, .contentManager]),
        ("engagement:read", [.superAdmin, .admin, .contentManager, .moderator, .analyst]),
        ("engagement:campaigns", [.superAdmin, .admin]),
        ("scalability:read", [.superAdmin, .admin, .analyst]),
        ("scalability:change", [.superAdmin]),
        ("roles:read", [.superAdmin]),
        ("roles:change", [.superAdmin]),
        ("audit:read", [.superAdmin]),
        ("audit:change", [.superAdmin]),
        ("security:read", [.superAdmin]),
        ("security:change", [.superAdmin]),
        ("dashboard:read", [.superAdmin, .admin, .contentManager, .moderator, .analyst]),
    ]

    @Test func theStandardMatrixIsTheDocumentedTable() throws {
        #expect(Self.table.map(\.permission) == Permission.all.map(\.rawValue))
        for (name, roles) in Self.table {
            let permission = try #require(Permission(rawValue: name))
            for role in Role.allCases {
                let isAllowed = PermissionMatrix.standard.allows(role, permission)
                #expect(isAllowed == roles.contains(role), "\(role) \(name)")
            }
            #expect(Set(PermissionMatrix.standard.roles(with: permission)) == roles)
        }
    }

    @Test func rolesHaveTheirDocumentedNames() {
        #expect(
            Set(Role.allCases.map(\.rawValue)) == [
                "super_admin", "admin", "viewer", "content_manager", "moderator", "analyst",
            ])
    }

    @Test(arguments: ["", "backups", "backups:", ":read", "backups:READ", "backups:read ", "*:*"])
    func otherNamesAreNoPermissions(_ name: String) {
        #expect(Permission(rawValue: name) == nil)
    }

    @Test func superAdminMayDoEverythingUnderAnEmptyMatrix() throws {
        let matrix = try PermissionMatrix([.superAdmin: []])
        for permission in Permission.all {
            #expect(matrix.allows(.superAdmin, permission))
            #expect(matrix.roles(with: permission) == [.superAdmin])
        }
    }

    @Test func nothingCanBeTakenFromSuperAdmin() throws {
        var matrix = PermissionMatrix.standard
        #expect(throws: AccessError.self) {
            try matrix.revoke(.backupsRestore, from: .superAdmin)
        }
        try matrix.grant(.backupsRestore, to: .superAdmin)
        #expect(matrix == .standard)
    }

    @Test func grantsComeAndGo() throws {
        var matrix = PermissionMatrix.standard
        try matrix.grant(.backupsRestore, to: .admin)
        #expect(matrix.allows(.admin, .backupsRestore))
        #expect(matrix != .standard)
        try matrix.revoke(.backupsRestore, from: .admin)
        #expect(matrix == .standard)
    }

    @Test func changingTheMatrixIsReserved() throws {
        var matrix = PermissionMatrix.standard
        #expect(throws: AccessError.self) { try matrix.grant(.rolesChange, to: .admin) }
        #expect(throws: AccessError.self) { try PermissionMatrix([.admin: [.rolesChange]]) }
        #expect(throws: AccessError.self) { try decode(#"{"admin": ["roles:change"]}"#) }
    }

    @Test func itGoesThroughJSON() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(PermissionMatrix.standard)
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.contains(#""viewer":["backups:read"]"#))
        #expect(text.contains(#"["content:search","dashboard:read","engagement:read"]"#))
        #expect(try decode(text) == .standard)
    }

    @Test func unknownNamesInJSONAreRefused() {
        #expect(throws: DecodingError.self) { try decode(#"{"root": []}"#) }
        #expect(throws: DecodingError.self) { try decode(#"{"admin": ["backups:destroy"]}"#) }
        #expect(throws: DecodingError.self) { try decode(#"{"admin": "backups:read"}"#) }
    }

    @Test func aRowOfSuperAdminInJSONChangesNothing() throws {
        let matrix = try decode(#"{"super_admin": [], "viewer": ["backups:read"]}"#)
        #expect(matrix.permissions(of: .superAdmin) == Permission.all)
        #expect(matrix.permissions(of: .viewer) == [.backupsRead])
        #expect(matrix.permissions(of: .admin) == [])
    }

    private func decode(_ text: String) throws -> PermissionMatrix {
        try JSONDecoder().decode(PermissionMatrix.self, from: Data(text.utf8))
    }
}
