internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage

/// Tidies up after restores that were killed: removes their staging collections, ends their swaps,
/// and removes what was kept for an undo and has expired. What belongs to a restore that still
/// runs, or to another host, which this one knows nothing about, is left alone.
struct StagingJanitor: Sendable {
    let pool: MongoPool
    let observer: any JobObserver
    /// Staging collections that somebody is about to go on with.
    var spared: Set<Namespace> = []

    /// Looks into all databases that the user may see: a restore is not only killed in the database
    /// that the next one is about.
    ///
    /// - Parameter databases: those that are about to be written to; elsewhere it is no error when
    ///   the user may not look or clean up.
    func clean(_ databases: Set<String>) async throws {
        let (visible, now) = try await pool.withConnection { connection in
            (
                try await connection.databaseNames(mustBeComplete: false),
                try await connection.localTime() / 1000
            )
        }
        for database in databases.union(visible).sorted() where database != "local" {
            try RepositoryLocks.checkHeld()
            do {
                try await clean(database, now: now)
            } catch let error as MongoError
                where error.code == .unauthorized && !databases.contains(database)
            { continue }
        }
    }

    private func clean(_ database: String, now: Int64) async throws {
        let names = try await pool.withConnection { connection in
            try await connection.collections(in: database).map(\.name)
        }
        for name in names {
            let namespace = Namespace(database, name)
            if let staging = StagingName(name), !spared.contains(namespace) {
                try await clean(namespace, staging.state)
            } else if let swap = SwapName(name) {
                try await mend(swap, namespace)
            } else if let kept = KeptName(name), kept.expiry <= now {
                guard try await drop(namespace) else { continue }
                observer.noticed(
                    "removed what \(kept.job) had kept of \(database).\(kept.collection): its "
                        + "time is over")
            }
        }
    }

    private func clean(_ namespace: Namespace, _ state: OwnerToken.State) async throws {
        switch state {
        case .alive: return
        case .elsewhere:
            observer.noticed(
                "\(namespace) belongs to a restore on another host; if that was killed, drop it")
        case .dead:
            // A restore may have done so itself since it was listed.
            guard try await drop(namespace) else { return }
            observer.noticed("removed \(namespace), left behind by a restore that was killed")
        }
    }

    private func mend(_ swap: SwapName, _ namespace: Namespace) async throws {
        switch swap.state {
        case .alive: return
        case .elsewhere:
            observer.noticed(
                "\(namespace) belongs to a restore on another host; if that was killed, run "
                    + "\"cairn restore --undo \(swap.kept.job)\" there")
        case .dead:
            do {
                observer.noticed(
                    try await CollectionSwap.mend(swap, in: namespace.database, pool))
            } catch let error as MongoError where error.code == .namespaceNotFound {
                // It has ended since it was listed.
                return
            }
        }
    }

    /// - Returns: whether it was there.
    private func drop(_ namespace: Namespace) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.removeCollection(namespace.collection, in: namespace.database)
        }
    }
}
