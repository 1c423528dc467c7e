/// What a caller is to the system. A caller has exactly one; its rights are in the
/// ``PermissionMatrix``.
public enum Role: String, CaseIterable, Codable, Hashable, Sendable, CodingKeyRepresentable {
    /// May do everything, always.
    case superAdmin = "super_admin"
    /// Runs the system day by day, but destroys nothing.
    case admin
    /// Works on the content.
    case contentManager = "content_manager"
    /// Looks at content and at what users do.
    case moderator
    /// Reads and exports.
    case analyst
    /// Sees what backups there are.
    case viewer
}
