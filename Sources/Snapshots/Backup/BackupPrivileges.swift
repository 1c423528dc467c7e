internal import ArchiveFormat
internal import MongoDriver

extension PrivilegeNeeds {
    /// Reads the oplog of a window, and which transactions were under way at its start.
    mutating func readOplog() {
        require("find", on: Namespace("local", "oplog.rs"))
        require("find", on: Namespace("config", "transactions"))
    }

    /// Reads a collection with its indexes; of a view there is nothing to read.
    mutating func read(_ info: CollectionInfo, in database: String, _ server: ServerInfo) {
        let type = NamespaceType(rawValue: info.type) ?? .collection
        guard type != .view else { return }
        require("listIndexes", on: Namespace(database, info.name))
        let data = ArchivePrelude.dataCollection(
            of: info.name, type: type, serverVersion: server.versionString)
        require("find", on: Namespace(database, data))
    }
}

extension SourceCatalog {
    /// Finds out whether the user may read all of what is selected.
    ///
    /// - Throws: `MongoError`, with `unauthorized` when they may not.
    static func checkPrivileges(
        _ pool: MongoPool, _ filter: NamespaceFilter, _ level: Backup.Level
    ) async throws {
        let (user, server) = try await pool.withConnection { connection in
            (try await connection.userPrivileges(), try await connection.serverInfo())
        }
        guard user.isKnown else { return }
        try await needs(pool, filter, level, user, server).check(user, for: "the backup")
    }

    /// - Parameter user: databases that they may not list are stated as a whole.
    static func needs(
        _ pool: MongoPool, _ filter: NamespaceFilter, _ level: Backup.Level,
        _ user: UserPrivileges, _ server: ServerInfo
    ) async throws -> PrivilegeNeeds {
        var needs = PrivilegeNeeds()
        if level == .oplog { needs.readOplog() }
        let isEverything = filter.database == nil && filter.included.isEmpty
        // Whoever asks for everything must not get less without a word.
        if isEverything { needs.require(["listDatabases"], on: .cluster) }
        let mayList = user.allows(Privilege("listDatabases", on: .cluster))
        let databases = try await pool.withConnection { connection in
            if let database = filter.database { return [database] }
            return try await connection.databaseNames(mustBeComplete: isEverything && mayList)
        }
        for database in databases
        where ServerNamespaces.isBackedUp(database, filter)
            && filter.mayOverlap(NamespaceFilter(database: database))
        {
            needs.listCollections(of: database)
            guard user.allows(Privilege("listCollections", on: .database(database))) else {
                needs.require(["find", "listIndexes"], on: .database(database))
                continue
            }
            for (namespace, info) in try await LiveCatalog.collections(pool, database)
            where ServerNamespaces.isBackedUp(namespace.collection, of: database, filter)
                && filter.contains(namespace)
            {
                needs.read(info, in: database, server)
            }
        }
        return needs
    }
}

extension Backup {
    /// Says so when a backup that outlasts the server's history could not be completed by an oplog
    /// window.
    ///
    /// - Returns: whether it could.
    func mayFallBackToOplog() async throws -> Bool {
        let user = try await pool.withConnection { try await $0.userPrivileges() }
        var needs = PrivilegeNeeds()
        needs.readOplog()
        let missing = needs.missing(for: user)
        guard !missing.isEmpty else { return true }
        observer.noticed(
            "should the backup take longer than the server keeps history, it fails, for the user "
                + "may not read the oplog (\(MissingPrivileges(missing).list); the role backup has "
                + "them)")
        return false
    }
}
