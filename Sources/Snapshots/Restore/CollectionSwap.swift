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

    /// - Parameters:
    ///   - incoming: the collection that takes its place; nil when there is to be none.
    ///   - isRepetition: whether it was tried before and may have been done in part or as a whole.
    /// - Throws: `MongoError`; then the live one is in its place again, unless the server is gone.
    func run(with incoming: String?, isRepetition: Bool = false) async throws {
        guard let displaced = isRepetition ? try await found() : nil else {
            let isDone = isRepetition ? try await isDone(with: incoming) : false
            guard !isDone else { return }
            let was = try await isThere(live.collection) ? KeptName.Was.live : .absent
            let name = swapName(was)
            return try await name.whileUnderWay {
                try await displace(as: name)
                try await complete(with: incoming, as: name)
            }
        }
        try await displaced.whileUnderWay {
            var missing = incoming
            if let incoming, try await isInPlace(incoming) { missing = nil }
            try await complete(with: missing, as: displaced)
        }
    }

    private func keptName(_ was: KeptName.Was) -> KeptName {
        KeptName(
            job: keeping.job, expiry: keeping.expiry, was: was, collection: live.collection)
    }

    private func swapName(_ was: KeptName.Was) -> SwapName { SwapName(keptName(was)) }

    /// The swap that an earlier try has begun, if it has not ended.
    private func found() async throws -> SwapName? {
        for was in [KeptName.Was.live, .absent] {
            let name = swapName(was)
            if try await isThere(name.description) { return name }
        }
        return nil
    }

    /// Whether an earlier try has done all of it, and only its answer was lost.
    private func isDone(with incoming: String?) async throws -> Bool {
        if let incoming, try await isThere(incoming) { return false }
        for was in [KeptName.Was.live, .absent] {
            if try await isThere(keptName(was).description) { return true }
        }
        return false
    }

    private func isThere(_ name: String) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.hasCollection(name, in: live.database)
        }
    }

    /// What the user must be allowed to do for it.
    func needs(with incoming: String?) -> PrivilegeNeeds {
        let kept = keptName(.live)
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

    /// Takes the live one out of its place, or makes what stands for none.
    private func displace(as name: SwapName) async throws {
        guard name.kept.was == .absent else {
            return try await rename(live.collection, to: name.description, isLast: false)
        }
        try await pool.withConnection { connection in
            try await connection.createCollection(name.description, in: live.database)
        }
    }

    /// What is left when the live one was displaced.
    private func complete(with incoming: String?, as name: SwapName) async throws {
        let displaced = name.description
        if let incoming {
            do {
                try await rename(incoming, to: live.collection, dropTarget: true, isLast: false)
            } catch let error as MongoError where error.mayPass {
                // Perhaps it was done, and only the answer was lost.
                guard try await isInPlace(incoming) else {
                    try await putBack(name)
                    throw error
                }
            } catch {
                try await putBack(name)
                throw error
            }
        }
        try await rename(displaced, to: name.kept.description)
    }

    private func isInPlace(_ incoming: String) async throws -> Bool {
        guard try await !isThere(incoming) else { return false }
        return try await isThere(live.collection)
    }

    private func putBack(_ name: SwapName) async throws {
        guard name.kept.was == .absent else {
            return try await rename(name.description, to: live.collection)
        }
        try await pool.withConnection { connection in
            try await connection.dropCollection(name.description, in: live.database)
        }
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
