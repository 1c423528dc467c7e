internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage

/// Tidies up after restores that were killed: removes their staging collections, ends their swaps,
/// and removes what was kept for an undo and has expired. What belongs to a restore that still
/// runs, or to another host, which this one knows nothing about, is left alone.
struct StagingJanitor: Sendable {
    let pool: MongoPool
    let observer: any JobObserver
    /// Staging collections that somebody is about to resume.
    var spared: Set<Namespace> = []

    /// Looks into all databases that the user may see: a restore is not only killed in the database
    /// that the next one is about. What the user may not remove is reported and stays.
    ///
    /// - Parameter databases: those that are about to be written to; elsewhere it is no error when
    ///   the user may not look.
    func clean(_ databases: Set<String>) async throws {
        for finding in try await findings(databases) {
            do {
                try await clean(finding)
            } catch let error as MongoError where error.code == .unauthorized {
                observer.noticed(
                    "\(finding.namespace) was left behind by a restore, and the user may not "
                        + "remove it (\(MissingPrivileges(Array(finding.privileges)).list))")
            }
        }
    }

    /// The same for whoever asked for nothing else.
    ///
    /// - Throws: `MongoError` with `unauthorized`, before anything is removed, when the user may
    ///   not remove all of it.
    func cleanEverything() async throws {
        let user = try await pool.withConnection { try await $0.userPrivileges() }
        let findings = try await findings([])
        var needs = PrivilegeNeeds()
        for finding in findings { needs.formUnion(finding.needs) }
        try needs.check(user, for: "the removal of what restores have left")
        for finding in findings { try await clean(finding) }
    }

    // MARK: Looking

    /// A collection that is to be removed or put back.
    private struct Finding: Sendable {
        enum Kind: Sendable {
            case staging
            case swap(SwapName)
            case expired(KeptName)
        }

        let namespace: Namespace
        let kind: Kind

        var needs: PrivilegeNeeds {
            var needs = PrivilegeNeeds()
            guard case .swap(let swap) = kind else {
                needs.require("dropCollection", on: namespace)
                return needs
            }
            needs.listCollections(of: namespace.database)
            if swap.kept.was == .absent { needs.require("dropCollection", on: namespace) }
            for name in [swap.kept.description, swap.kept.collection] {
                needs.rename(
                    namespace, to: Namespace(namespace.database, name), dropTarget: false)
            }
            return needs
        }

        /// The usual ones.
        var privileges: Set<Privilege> { Set(needs.missing(for: UserPrivileges())) }
    }

    private func findings(_ databases: Set<String>) async throws -> [Finding] {
        let (visible, now) = try await pool.withConnection { connection in
            (
                try await connection.databaseNames(mustBeComplete: false),
                try await connection.localTime() / 1000
            )
        }
        var findings: [Finding] = []
        for database in databases.union(visible).sorted() where database != "local" {
            try RepositoryLocks.checkHeld()
            do {
                findings += try await self.findings(in: database, now: now)
            } catch let error as MongoError
                where error.code == .unauthorized && !databases.contains(database)
            { continue }
        }
        return findings
    }

    private func findings(in database: String, now: Int64) async throws -> [Finding] {
        let names = try await pool.withConnection { connection in
            try await connection.collections(in: database).map(\.name)
        }
        return names.compactMap { name in
            let namespace = Namespace(database, name)
            if let staging = StagingName(name), !spared.contains(namespace) {
                return isLeft(staging, namespace)
                    ? Finding(namespace: namespace, kind: .staging) : nil
            } else if let swap = SwapName(name) {
                return isLeft(swap, namespace)
                    ? Finding(namespace: namespace, kind: .swap(swap)) : nil
            } else if let kept = KeptName(name), kept.expiry <= now {
                return Finding(namespace: namespace, kind: .expired(kept))
            }
            return nil
        }
    }

    private func isLeft(_ staging: StagingName, _ namespace: Namespace) -> Bool {
        switch staging.state {
        case .alive: return false
        case .dead: return true
        case .elsewhere:
            observer.noticed(
                "\(namespace) belongs to a restore on another host; if that was killed, drop it")
            return false
        }
    }

    private func isLeft(_ swap: SwapName, _ namespace: Namespace) -> Bool {
        switch swap.state {
        case .alive: return false
        case .dead: return true
        case .elsewhere:
            observer.noticed(
                "\(namespace) belongs to a restore on another host; if that was killed, run "
                    + "\"cairn restore --undo \(swap.kept.job)\" there")
            return false
        }
    }

    // MARK: Tidying up

    private func clean(_ finding: Finding) async throws {
        let namespace = finding.namespace
        switch finding.kind {
        case .staging:
            // A restore may have done so itself since it was listed.
            guard try await drop(namespace) else { return }
            observer.noticed("removed \(namespace), left behind by a restore that was killed")
        case .swap(let swap):
            do {
                observer.noticed(
                    try await CollectionSwap.mend(swap, in: namespace.database, pool))
            } catch let error as MongoError where error.code == .namespaceNotFound {
                // It has ended since it was listed.
                return
            }
        case .expired(let kept):
            guard try await drop(namespace) else { return }
            observer.noticed(
                "removed what \(kept.job) had kept of \(namespace.database).\(kept.collection): "
                    + "its time is over")
        }
    }

    /// - Returns: whether it was there.
    private func drop(_ namespace: Namespace) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.removeCollection(namespace.collection, in: namespace.database)
        }
    }
}
