/// A database and a collection in it. Names are the same when their bytes are, as for a server: é
/// as one character and as e with an accent are two collections.
public struct Namespace: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var database: String
    public var collection: String

    public init(_ database: String, _ collection: String) {
        self.database = database
        self.collection = collection
    }

    /// `database.collection`, as people and commands write it.
    public var description: String { "\(database).\(collection)" }

    public static func == (left: Namespace, right: Namespace) -> Bool {
        left.collection.utf8.elementsEqual(right.collection.utf8)
            && left.database.utf8.elementsEqual(right.database.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for var part in [database, collection] {
            part.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            // No byte of UTF-8.
            hasher.combine(UInt8.max)
        }
    }

    public static func < (left: Namespace, right: Namespace) -> Bool {
        if left.database.utf8.elementsEqual(right.database.utf8) {
            return left.collection.utf8.lexicographicallyPrecedes(right.collection.utf8)
        }
        return left.database.utf8.lexicographicallyPrecedes(right.database.utf8)
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
