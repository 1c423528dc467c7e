internal import ArchiveFormat

/// Which namespaces hold data, and which a server keeps for itself.
enum ServerNamespaces {
    /// What mongodump takes: not `local` unless named, nothing that the server keeps for
    /// itself.
    static func isBackedUp(_ database: String, _ filter: NamespaceFilter) -> Bool {
        filter.database == database
            || database != "local" && !database.hasPrefix("__mdb_internal")
    }

    /// What mongodump takes of a database: its own `system` collections only where they are
    /// data. Nothing that a restore is just loading, or that a killed one has left.
    static func isBackedUp(
        _ collection: String, of database: String, _ filter: NamespaceFilter
    ) -> Bool {
        guard !ReservedName.contains(collection) else { return false }
        switch database {
        case "admin":
            return collection != "system.keys" && !collection.hasPrefix("system.buckets.")
                && ![ReservedName.users, ReservedName.roles].contains(collection)
        case "config" where filter.database != "config":
            return [
                "chunks", "collections", "databases", "settings", "shards", "tags", "version",
            ].contains(collection)
        default:
            if collection == "system.js" { return true }
            return !collection.hasPrefix("system.")
                && (!collection.contains("$") || collection == "oplog.$main")
        }
    }

    /// Whether a backup of everything takes a collection of that name, or the buckets of a time
    /// series.
    static func isBackedUp(_ name: Namespace) -> Bool {
        let everything = NamespaceFilter()
        let prefix = "system.buckets."
        let collection =
            name.collection.hasPrefix(prefix)
            ? String(name.collection.dropFirst(prefix.count)) : name.collection
        return isBackedUp(name.database, everything)
            && isBackedUp(collection, of: name.database, everything)
            && !isServersOwn(Namespace(name.database, collection))
    }

    /// Collections that a server would let be replaced although it keeps its state in them.
    static func isServersOwn(_ namespace: Namespace) -> Bool {
        switch namespace.database {
        case "admin":
            return namespace.collection.hasPrefix("system.")
                && !["system.users", "system.roles", "system.js"].contains(namespace.collection)
        case "config":
            return ![
                "chunks", "collections", "databases", "settings", "shards", "tags", "version",
            ].contains(namespace.collection)
        case "local":
            return ["startup_log", "oplog.rs"].contains(namespace.collection)
                || namespace.collection.hasPrefix("system.")
                || namespace.collection.hasPrefix("replset.")
        default: return false
        }
    }
}
