/// A database and a collection in it.
public struct Namespace: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var database: String
    public var collection: String

    public init(_ database: String, _ collection: String) {
        self.database = database
        self.collection = collection
    }

    /// `database.collection`, as people and commands write it.
    public var description: String { "\(database).\(collection)" }

    public static func < (left: Namespace, right: Namespace) -> Bool {
        (left.database, left.collection) < (right.database, right.collection)
    }
}

/// What kind of thing a namespace names; the raw value stands in the prelude.
public enum NamespaceType: String, Sendable {
    case collection
    case view
    case timeseries
    /// The oplog, and users and roles of a single database: mongodump writes an empty type.
    case special = ""
}
