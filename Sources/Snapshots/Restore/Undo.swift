internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
public import MongoDriver
internal import ObjectStorage

/// Puts back what a restore has displaced and kept. What is displaced by that is kept in turn,
/// under the undo's own name and for as long, so an undo can be undone.
public struct Undo: Sendable {
    /// What was put back.
    public struct Report: Sendable {
        /// A collection and whether it is back, or gone because there was none.
        public struct Entry: Sendable {
            public var namespace: Namespace
            public var isBack: Bool
        }

        public var entries: [Entry]
        /// Until when what was displaced now is kept, in seconds since 1970.
        public var keptUntil: Int64
        public var seconds: Double
    }

    private let job: JobID
    private let newJob: JobID
    private let pool: MongoPool
    private let observer: any JobObserver

    /// - Parameters:
    ///   - job: the restore, or the undo, that shall not have been.
    ///   - newJob: the name of this undo.
    public init(
        of job: JobID, as newJob: JobID, on pool: MongoPool, observer: any JobObserver
    ) {
        self.job = job
        self.newJob = newJob
        self.pool = pool
        self.observer = observer
    }

    /// - Throws: `notFound` when nothing of that job is kept, or any more; `MongoError`.
    public func run() async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        try await StagingJanitor(pool: pool, observer: observer).clean([])
        let collections = try await KeptCollections.list(pool).filter { $0.job == job }
        guard let first = collections.first else {
            throw SnapshotError(
                .notFound,
                "nothing is kept of \(job) on this server\(try await blindness()); \"cairn kept\" "
                    + "lists what is")
        }
        try await checkPrivileges(collections)
        let entries = try await putBack(collections)
        return Report(
            entries: entries, keptUntil: first.expiry,
            seconds: start.duration(to: clock.now).inSeconds)
    }

    /// That there may be something which the user is not shown; empty for who sees everything.
    private func blindness() async throws -> String {
        let user = try await pool.withConnection { try await $0.userPrivileges() }
        let missing = [
            Privilege("listDatabases", on: .cluster),
            Privilege("listCollections", on: .anyCollection),
        ].filter { !user.allows($0) }
        guard !missing.isEmpty else { return "" }
        return " as far as the user may see (it takes \(MissingPrivileges(missing).list) to see "
            + "everything)"
    }

    private func checkPrivileges(_ collections: [KeptCollections.Entry]) async throws {
        let user = try await pool.withConnection { try await $0.userPrivileges() }
        try needs(collections).check(user, for: "the undo")
    }

    func needs(_ collections: [KeptCollections.Entry]) -> PrivilegeNeeds {
        var needs = PrivilegeNeeds()
        for collection in collections {
            let swap = CollectionSwap(
                live: collection.namespace,
                keeping: Keeping(job: newJob, expiry: collection.expiry), pool: pool)
            needs.formUnion(swap.needs(with: collection.wasAbsent ? nil : collection.keptName))
            guard collection.wasAbsent else { continue }
            needs.require(
                "dropCollection",
                on: Namespace(collection.namespace.database, collection.keptName))
        }
        return needs
    }

    /// Puts back several at once. One that can't be is no reason to leave the others.
    private func putBack(_ collections: [KeptCollections.Entry]) async throws -> [Report.Entry] {
        var waiting = collections[...]
        var entries: [Report.Entry] = []
        var failures: [any Error] = []
        try await withOrderedWindow(
            width: max(1, pool.connectionCountMax),
            next: {
                try Task.checkCancellation()
                guard let collection = waiting.popFirst() else { return nil }
                observer.progressed(
                    JobProgress(
                        phase: .publishing, subject: collection.namespace.description,
                        isCommit: true))
                return collection
            },
            transform: { (collection: KeptCollections.Entry) async throws -> Outcome in
                // Once begun, a swap is completed.
                let result = await uncancelled { () -> (any Error)? in
                    do { try await putBack(collection) } catch { return error }
                    return nil
                }
                return Outcome(collection: collection, failure: result)
            },
            deliver: { outcome in
                guard let failure = outcome.failure else {
                    entries.append(
                        Report.Entry(
                            namespace: outcome.collection.namespace,
                            isBack: !outcome.collection.wasAbsent))
                    return
                }
                failures.append(failure)
                observer.noticed(
                    "\(outcome.collection.namespace) could not be put back: "
                        + "\(failure.inUserNames)")
            })
        guard let failure = failures.first else { return entries }
        if let failure = failure as? MongoError, failure.isNetworkError { throw failure }
        throw SnapshotError(
            .refused,
            "\(failures.count) of \(collections.count) collections could not be put back and stay "
                + "kept; remove what is in their way and run it again: "
                + "\(failure.inUserNames)" + Self.wayBack(entries, newJob))
    }

    private static func wayBack(_ entries: [Report.Entry], _ job: JobID) -> String {
        guard !entries.isEmpty else { return "" }
        let names = entries.map(\.namespace.description).sorted().joined(separator: ", ")
        return "; put back: \(names); \"cairn restore --undo \(job)\" takes that back"
    }

    private struct Outcome: Sendable {
        let collection: KeptCollections.Entry
        let failure: (any Error)?
    }

    private func putBack(_ collection: KeptCollections.Entry) async throws {
        let database = collection.namespace.database
        try await CollectionSwap(
            live: collection.namespace, keeping: Keeping(job: newJob, expiry: collection.expiry),
            pool: pool
        ).run(with: collection.wasAbsent ? nil : collection.keptName)
        guard collection.wasAbsent else { return }
        try await pool.withConnection { connection in
            try await connection.dropCollection(collection.keptName, in: database)
        }
    }
}

/// What restores have displaced and a server keeps.
public enum KeptCollections {
    /// One of them.
    public struct Entry: Sendable {
        /// The restore or undo that has displaced it.
        public var job: JobID
        /// Its name before.
        public var namespace: Namespace
        /// Until when it is kept, in seconds since 1970 by the server's clock.
        public var expiry: Int64
        /// Whether there was none; then an empty one stands for that.
        public var wasAbsent: Bool
        /// Its name now, in the same database.
        public var keptName: String
    }

    /// Lists them in all databases that the user may see, by job and name.
    ///
    /// - Throws: `MongoError`.
    public static func list(_ pool: MongoPool) async throws -> [Entry] {
        let databases = try await pool.withConnection { connection in
            try await connection.databaseNames(mustBeComplete: false)
        }
        var entries: [Entry] = []
        for database in databases where database != "local" {
            let names = try await names(in: database, pool)
            for name in names {
                guard let kept = KeptName(name) else { continue }
                entries.append(
                    Entry(
                        job: kept.job, namespace: Namespace(database, kept.collection),
                        expiry: kept.expiry, wasAbsent: kept.was == .absent, keptName: name))
            }
        }
        return entries.sorted {
            ($0.job.description, $0.namespace) < ($1.job.description, $1.namespace)
        }
    }

    private static func names(in database: String, _ pool: MongoPool) async throws -> [String] {
        do {
            return try await pool.withConnection { connection in
                try await connection.collections(in: database).map(\.name)
            }
        } catch let error as MongoError where error.code == .unauthorized {
            return []
        }
    }

    /// Removes those whose time is over, and what killed restores have left.
    ///
    /// - Throws: `MongoError`; with `unauthorized`, before anything is removed, when the user may
    ///   not remove all of what they may see.
    public static func clean(_ pool: MongoPool, _ observer: any JobObserver) async throws {
        try await StagingJanitor(pool: pool, observer: observer).cleanEverything()
    }
}
