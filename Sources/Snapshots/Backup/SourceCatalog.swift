internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What there is to back up on a server: which namespaces, in which order, and how each is read.
struct SourceCatalog: Sendable {
    /// A namespace with what the plan wants to know of it.
    struct Entry: Sendable {
        var descriptor: NamespaceDescriptor
        /// The identity of the collection whose documents are read.
        var dataUUID: [UInt8]?
        var isCapped: Bool
    }

    let server: ServerInfo
    /// Users, roles and the authorization schema first, then by name: the order of the archive.
    let entries: [Entry]

    /// Reads the catalog of every database that the filter lets through.
    ///
    /// - Throws: `MongoError`.
    static func read(_ pool: MongoPool, filter: NamespaceFilter) async throws -> SourceCatalog {
        let (server, databases) = try await pool.withConnection { connection in
            let server = try await connection.serverInfo()
            guard let database = filter.database else {
                // Who asks for everything must not get less without a word.
                let names = try await connection.databaseNames(
                    mustBeComplete: filter.included.isEmpty)
                return (server, names)
            }
            return (server, [database])
        }
        var entries: [Entry] = []
        for database in databases where isTaken(database, filter) {
            entries += try await read(database, pool, filter, server)
        }
        return SourceCatalog(server: server, entries: entries.sorted { $0.isBefore($1) })
    }

    /// Collections of a database as they are now, by name.
    static func collections(
        _ pool: MongoPool, _ database: String
    ) async throws -> [String: CollectionInfo] {
        let collections = try await pool.withConnection {
            try await $0.collections(in: database)
        }
        return Dictionary(
            collections.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What mongodump takes: not `local` unless named, nothing that the server keeps for itself.
    private static func isTaken(_ database: String, _ filter: NamespaceFilter) -> Bool {
        filter.database == database
            || database != "local" && !database.hasPrefix("__mdb_internal")
    }

    /// What mongodump takes of a database: its own `system` collections only where they are data.
    private static func isTaken(
        _ collection: String, of database: String, _ filter: NamespaceFilter
    ) -> Bool {
        switch database {
        case "admin":
            return collection != "system.keys" && !collection.hasPrefix("system.buckets.")
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

    private static func read(
        _ database: String, _ pool: MongoPool, _ filter: NamespaceFilter, _ server: ServerInfo
    ) async throws -> [Entry] {
        let all = try await collections(pool, database)
        var taken = all.values.filter { info in
            isTaken(info.name, of: database, filter)
                && filter.contains(Namespace(database, info.name))
        }.sorted { $0.name < $1.name }[...]
        var entries: [Entry] = []
        try await withOrderedWindow(
            width: max(1, pool.connectionCountMax),
            next: { taken.popFirst() },
            transform: { (info: CollectionInfo) async throws -> Entry in
                try await entry(info, of: database, all, pool, server)
            },
            deliver: { entries.append($0) })
        return entries
    }

    private static func entry(
        _ info: CollectionInfo, of database: String, _ all: [String: CollectionInfo],
        _ pool: MongoPool, _ server: ServerInfo
    ) async throws -> Entry {
        let type = NamespaceType(rawValue: info.type) ?? .collection
        let keepsBucketsApart = ArchivePrelude.keepsBucketsApart(
            serverVersion: server.versionString)
        let dataCollection =
            type == .timeseries && keepsBucketsApart
            ? "system.buckets." + info.name : info.name
        var descriptor = NamespaceDescriptor(
            namespace: Namespace(database, info.name), type: type,
            dataCollection: dataCollection, options: info.options)
        if type != .view {
            descriptor.indexes = try await pool.withConnection { connection in
                try await connection.indexes(of: info.name, in: database)
            }
        }
        descriptor.uuid = info.uuid
        return Entry(
            descriptor: descriptor, dataUUID: all[dataCollection]?.uuid,
            isCapped: try info.options.first("capped")?.isTruthy ?? false)
    }
}

extension SourceCatalog.Entry {
    /// mongorestore wants users, roles and the authorization schema, in this order, before all
    /// else.
    private var specialRank: Int {
        guard descriptor.isAuthorization else { return 3 }
        return ["system.users", "system.roles", "system.version"]
            .firstIndex(of: descriptor.namespace.collection) ?? 3
    }

    fileprivate func isBefore(_ other: SourceCatalog.Entry) -> Bool {
        specialRank == other.specialRank
            ? descriptor.namespace < other.descriptor.namespace
            : specialRank < other.specialRank
    }
}
