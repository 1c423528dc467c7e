internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// For how long a restore keeps what it displaces, and under which job's name.
struct Keeping: Sendable {
    let job: JobID
    /// In seconds since 1970, by the server's clock.
    let expiry: Int64
}

/// Puts a collection in the place of a live one that is kept: two renames, between which, for a
/// moment, there is none. A third one marks that it is done; who finds the mark missing and the
/// owner dead puts the displaced one back.
struct CollectionSwap: Sendable {
    let live: Namespace
    let keeping: Keeping
    let pool: MongoPool

    /// - Parameter incoming: the collection that takes its place; nil when there is to be none.
    /// - Throws: `MongoError`; then the live one is in its place again, unless the server is gone.
    func run(with incoming: String?) async throws {
        let isThere = try await pool.withConnection { connection in
            try await connection.hasCollection(live.collection, in: live.database)
        }
        let kept = KeptName(
            job: keeping.job, expiry: keeping.expiry, was: isThere ? .live : .absent,
            collection: live.collection)
        let name = SwapName(kept)
        try await name.whileUnderWay {
            try await run(with: incoming, displacing: isThere, as: name)
        }
    }

    /// What the user must be allowed to do for it.
    func needs(with incoming: String?) -> PrivilegeNeeds {
        let kept = KeptName(
            job: keeping.job, expiry: keeping.expiry, was: .live, collection: live.collection)
        let displaced = Namespace(live.database, SwapName(kept).description)
        var needs = PrivilegeNeeds()
        needs.listCollections(of: live.database)
        needs.rename(live, to: displaced, dropTarget: false)
        needs.create(displaced)
        if let incoming {
            needs.rename(Namespace(live.database, incoming), to: live, dropTarget: true)
        }
        needs.rename(
            displaced, to: Namespace(live.database, kept.description), dropTarget: false)
        return needs
    }

    private func run(
        with incoming: String?, displacing isThere: Bool, as name: SwapName
    ) async throws {
        let displaced = name.description
        if isThere {
            try await rename(live.collection, to: displaced, isLast: false)
        } else {
            try await pool.withConnection { connection in
                try await connection.createCollection(displaced, in: live.database)
            }
        }
        do {
            if let incoming {
                try await rename(incoming, to: live.collection, dropTarget: true, isLast: false)
            }
        } catch {
            if isThere {
                try await rename(displaced, to: live.collection)
            } else {
                try await pool.withConnection { connection in
                    try await connection.dropCollection(displaced, in: live.database)
                }
            }
            throw error
        }
        try await rename(displaced, to: name.kept.description)
    }

    /// - Parameter isLast: whether a majority is waited for, which then has all before it, too.
    private func rename(
        _ source: String, to target: String, dropTarget: Bool = false, isLast: Bool = true
    ) async throws {
        try await pool.withConnection { connection in
            try await connection.renameCollection(
                from: Namespace(live.database, source).description,
                to: Namespace(live.database, target).description, dropTarget: dropTarget,
                writeConcern: isLast ? nil : BSONDocument { $0.append("w", Int32(1)) })
        }
    }
}

extension CollectionSwap {
    /// Ends a swap that was cut off by the death of its owner: puts the displaced collection back
    /// when nothing has taken its place, and keeps it otherwise.
    ///
    /// - Returns: what was done, one sentence.
    static func mend(
        _ name: SwapName, in database: String, _ pool: MongoPool
    ) async throws -> String {
        let live = Namespace(database, name.kept.collection)
        let displaced = Namespace(database, name.description)
        return try await pool.withConnection { connection in
            let isThere = try await connection.hasCollection(live.collection, in: database)
            switch (isThere, name.kept.was) {
            case (true, _):
                try await connection.renameCollection(
                    from: displaced.description,
                    to: Namespace(database, name.kept.description).description,
                    dropTarget: false)
                return "\(live) was being replaced when its restore was killed; it had been done"
            case (false, .live):
                try await connection.renameCollection(
                    from: displaced.description, to: live.description, dropTarget: false)
                return "put \(live) back: its restore was killed while it was replaced"
            case (false, .absent):
                try await connection.dropCollection(displaced.collection, in: database)
                return "removed \(displaced), left behind by a restore that was killed"
            }
        }
    }
}
