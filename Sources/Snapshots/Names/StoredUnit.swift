public import ArchiveFormat

/// What the documents of a namespace are to those who count them.
public enum StoredUnit: String, Hashable, Sendable, CaseIterable {
    case document
    /// Of a time series: a server keeps many measurements in one document.
    case bucket
    case user
    case role

    /// Several of it, such as `documents`.
    public var noun: String { rawValue + "s" }

    /// - Returns: nil for a view, which has none.
    public init?(_ namespace: Namespace, _ type: NamespaceType) {
        guard type != .view else { return nil }
        switch (namespace.database, namespace.collection) {
        case _ where type == .timeseries: self = .bucket
        case ("admin", "system.users"): self = .user
        case ("admin", "system.roles"): self = .role
        default: self = .document
        }
    }
}
