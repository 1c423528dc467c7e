internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage

/// What is on the server before a restore.
struct LiveCatalog: Sendable {
    private let collections: [Namespace: CollectionInfo]

    /// - Parameter user: databases that they may not list count as empty, which the check of what a
    ///   plan needs then refuses with all else.
    static func read(
        _ databases: Set<String>, _ pool: MongoPool, _ user: UserPrivileges = .unlimited
    ) async throws -> LiveCatalog {
        var collections: [Namespace: CollectionInfo] = [:]
        for database in databases
        where user.allows(Privilege("listCollections", on: .database(database))) {
            collections.merge(try await self.collections(pool, database)) { $1 }
        }
        return LiveCatalog(collections: collections)
    }

    /// Collections of a database as they are now, by name.
    static func collections(
        _ pool: MongoPool, _ database: String
    ) async throws -> [Namespace: CollectionInfo] {
        let collections = try await pool.withConnection {
            try await $0.collections(in: database)
        }
        return Dictionary(
            collections.map { (Namespace(database, $0.name), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    subscript(namespace: Namespace) -> CollectionInfo? { collections[namespace] }

    /// Everything, in no particular order.
    var all: [Namespace: CollectionInfo] { collections }

    /// A staging collection with that load whose restore does not run any more.
    func leftover(_ load: StagedLoad, in database: String) -> Namespace? {
        collections.keys.filter { $0.database == database }.sorted().first { namespace in
            guard let staging = StagingName(namespace.collection) else { return false }
            return staging.load == load && staging.state == .dead
        }
    }
}
