internal import MongoDriver
internal import ObjectStorage

/// Removes staging collections of restores that were killed. Those of a restore that still runs, or
/// of another host, which this one knows nothing about, are left alone.
enum StagingJanitor {
    /// Looks into all databases that the user may see: a restore is not only killed in the database
    /// that the next one is about.
    ///
    /// - Parameter databases: those that are about to be written to; elsewhere it is no error when
    ///   the user may not look or clean up.
    static func clean(_ databases: Set<String>, _ context: RestoreContext) async throws {
        let visible = try await context.pool.withConnection { connection in
            try await connection.databaseNames(mustBeComplete: false)
        }
        for database in databases.union(visible).sorted() where database != "local" {
            do {
                try await clean(database, context)
            } catch let error as MongoError
                where error.code == .unauthorized && !databases.contains(database)
            { continue }
        }
    }

    private static func clean(_ database: String, _ context: RestoreContext) async throws {
        let names = try await context.pool.withConnection { connection in
            try await connection.collections(in: database).map(\.name)
        }
        for name in names {
            guard let staging = StagingName(name) else { continue }
            switch staging.state {
            case .alive:
                continue
            case .elsewhere:
                context.observer.noticed(
                    "\(database).\(name) belongs to a restore on another host; if that was "
                        + "killed, drop it")
            case .dead:
                try await context.pool.withConnection { connection in
                    try await connection.dropCollection(name, in: database)
                }
                context.observer.noticed(
                    "removed \(database).\(name), left behind by a restore that was killed")
            }
        }
    }
}

extension StagingName {
    /// What can be said about the restore that made it.
    fileprivate var state: OwnerToken.State {
        guard owner == .current else { return owner.state }
        return StagingClaim.isClaimed(self) ? .alive : .dead
    }
}
