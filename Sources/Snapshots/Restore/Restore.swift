internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
public import MongoDriver

/// Puts an archive back: open → plan → prepare → load → compare → replay → complete → commit. Up to
/// the commit the live data is as it was, and the commit of a collection is one rename. When it
/// throws, what it had loaded is removed.
public struct Restore: Sendable {
    /// What happens to what is there.
    public enum Mode: String, Sendable, CaseIterable {
        /// Afterwards each collection is exactly the snapshot's.
        case replace
        /// Missing documents are inserted, differing ones overwritten or kept, nothing is deleted.
        case merge
    }

    /// What a merge does with a live document that differs from the snapshot's of the same `_id`.
    public enum ConflictRule: String, Sendable, CaseIterable {
        /// It becomes the snapshot's.
        case overwrite
        /// It stays as it is.
        case keep
    }

    /// That what a replace displaces is kept, so that `Undo` can put it back.
    public struct KeepOld: Sendable {
        /// The name by which it can be undone.
        public var job: JobID
        /// For how long, in seconds.
        public var seconds: Int64

        public init(job: JobID, seconds: Int64) {
            self.job = job
            self.seconds = seconds
        }
    }

    /// What to restore and how.
    public struct Options: Sendable {
        public var mode: Mode
        /// Of a merge; other modes have no conflicts.
        public var conflictRule = ConflictRule.overwrite
        /// Of a replace: whether only the difference is written, where that is possible.
        public var isInPlace = false
        /// Of a replace that does not write in place: what is displaced is kept; nil for nothing.
        public var keepOld: KeepOld?
        /// Of a replace: whether it resumes what a killed one of the same archive has loaded.
        public var isResumed = false
        /// How long it tries again when the server is restarted or elects another primary, in
        /// seconds; 0 for not at all.
        public var enduranceSeconds = 0.0
        public var filter = NamespaceFilter()
        /// The last one that fits a namespace counts.
        public var renames: [NamespaceRename] = []
        /// Whether users and roles come back, where the archive has them and they are selected.
        public var restoresUsersAndRoles = true
        /// Whether the oplog of an archive that has one is replayed, which takes a replacing
        /// restore of everything under its own name.
        public var replaysOplog = true
        /// Whether indexes are built beside the one on `_id`. Without, a replace leaves a
        /// collection with that one alone, and a merge leaves the live ones as they are.
        public var restoresIndexes = true
        /// Whether what servers before 3.4 allowed in indexes becomes what it meant to them, as by
        /// mongorestore's option of that name; else it is refused.
        public var convertsLegacyIndexes = false
        /// Whether live views stay as they are.
        var keepsLiveViews: Bool { mode == .merge && conflictRule == .keep }
        /// How many chunks are decoded at once.
        public var width: Int
        /// How many chunks are written at once, each on a connection of its own. Two keep a server
        /// busy that shares two cores with the restore; on a larger one more do.
        public var writerCount = 2
        /// How many small collections' transactions and renames are under way at once: a server
        /// does not work on those but waits for its disk.
        var waitingWriterCount: Int { 2 * writerCount }
        /// How many connections it is good to have.
        public var connectionCount: Int { waitingWriterCount + 1 }
        /// The most documents of one insert.
        public var batchDocumentCount = 1000
        /// What has the old state should the restore fail half-way, such as "the backup 2026…".
        public var previousState: String?
        /// Holds the restore down; nil for as fast as can be.
        public var rateLimiter: RateLimiter?

        public init(mode: Mode, width: Int) {
            self.mode = mode
            self.width = width
        }
    }

    private let pool: MongoPool
    private let location: ArchiveLocation
    private let options: Options
    private let observer: any JobObserver

    /// - Parameter pool: with at least two connections, and better `options.connectionCount`.
    public init(
        _ location: ArchiveLocation, to pool: MongoPool, options: Options,
        observer: any JobObserver
    ) {
        precondition(pool.connectionCountMax >= 2, "a restore reads and writes at once")
        self.location = location
        self.pool = pool
        self.options = options
        self.observer = observer
    }

    /// How often a restore that writes to live collections is gone through again because a server
    /// may have lost what it had acknowledged.
    private static let attemptCountMax = 3

    /// Runs the restore.
    ///
    /// - Throws: `ArchiveError` for a damaged archive, `MongoError`, `SnapshotError`,
    ///   `ObjectStorageError`, `CancellationError`. Documents that a server refused during a merge
    ///   are in the report instead.
    public func run() async throws -> RestoreReport {
        try await pool.withNotices({ [observer] in observer.noticed($0) }) {
            try await runUntilDone()
        }
    }

    private func runUntilDone() async throws -> RestoreReport {
        let clock = ContinuousClock()
        let start = clock.now
        let keeping = try await keeping()
        let (server, incarnation, privileges) = try await pool.withConnection { connection in
            (
                try await connection.serverInfo(), try await connection.incarnation(),
                try await connection.userPrivileges()
            )
        }
        if !privileges.allows(Privilege("serverStatus", on: .cluster)) {
            observer.noticed(
                "the restore does not slow down for a server that is short of cache: the user may "
                    + "not ask it (serverStatus, as the role clusterMonitor has it)")
        }
        var context = RestoreContext(
            pool: pool, server: server, observer: observer,
            batchDocumentCount: options.batchDocumentCount,
            pacer: WritePacer(limiter: options.rateLimiter, observer: observer),
            endurance: Endurance(seconds: options.enduranceSeconds, observer: observer),
            continuity: Continuity(incarnation), rules: options.rules(for: server),
            privileges: privileges, keeping: keeping)
        var report = try await run(&context, since: incarnation)
        report.keptUntil = keeping?.expiry
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    private func run(
        _ context: inout RestoreContext, since incarnation: BSONDocument
    ) async throws -> RestoreReport {
        do {
            let writesLive = options.mode == .merge || options.isInPlace
            return writesLive
                ? try await runUntilDurable(&context, since: incarnation)
                : try await runAgainAfterOutages(&context, since: incarnation)
        } catch {
            throw context.changes.explained(error, options, observer)
        }
    }

    /// What can't be repeated on the spot after an outage, such as loading in order or replaying an
    /// oplog, starts again as a whole, and what was loaded otherwise is resumed. Live data
    /// is as it was until all is ready, so nothing is lost by that. Not with what is displaced
    /// being kept: after some collections were swapped, that would displace the new ones.
    private func runAgainAfterOutages(
        _ context: inout RestoreContext, since incarnation: BSONDocument
    ) async throws -> RestoreReport {
        var options = options
        var incarnation = incarnation
        for attempt in 1... {
            do {
                return try await runOnce(&context, options).report
            } catch {
                guard attempt < Self.attemptCountMax, options.enduranceSeconds > 0,
                    context.keeping == nil, location.isSeekable, !context.endurance.isExhausted
                else { throw error }
                let now = try await context.incarnation()
                // That the server was away may only show in that what it acknowledged is missing.
                let isOutage =
                    (error as? MongoError)?.mayPass
                    ?? ((error as? SnapshotError)?.code == .notEqual && now != incarnation)
                guard isOutage else { throw error }
                observer.noticed("the server was not available; starting again: \(error)")
                options.isResumed = true
                incarnation = now
                context.continuity = Continuity(now)
            }
        }
        preconditionFailure("the loop has no end")
    }

    private func runOnce(
        _ context: inout RestoreContext, _ options: Options
    ) async throws -> (report: RestoreReport, readable: Namespace?) {
        let archive = try await openChecked()
        let reader = archive.reader
        context.seal = archive.indexed?.seal
        if reader.manifest?.loss != nil {
            observer.noticed(
                "the snapshot was salvaged from a damaged archive and is not complete; \"cairn "
                    + "show\" reports what is known to be lost")
        }
        let plan = try await RestorePlan(archive, options, context)
        try plan.checkPrivileges(context.privileges)
        reader.select(plan.selected)
        if self.options.isResumed, plan.leftovers.isEmpty {
            observer.noticed("there is nothing to resume; restoring from the beginning")
        }
        try await StagingJanitor(pool: pool, observer: observer, spared: plan.leftovers)
            .clean(plan.databases)
        let job = RestoreJob(plan: plan, reader: reader, options: options, context: context)
        var report = try await job.run()
        report.manifest = reader.manifest
        report.adjustments = plan.adjustments
        return (report, plan.readable)
    }

    /// Writes to live collections are acknowledged by the primary alone, and all of them are waited
    /// for at the end. Should another server have become primary meanwhile, or the same one have
    /// been restarted, some may be lost: then all is gone through again, and only what is missing
    /// is written.
    private func runUntilDurable(
        _ context: inout RestoreContext, since incarnation: BSONDocument
    ) async throws -> RestoreReport {
        var total: RestoreReport?
        var incarnation = incarnation
        for _ in 1...Self.attemptCountMax {
            let (report, readable) = try await runOnce(&context, options)
            total = total?.followed(by: report) ?? report
            try await context.waitForMajority(reading: readable)
            let now: BSONDocument
            do {
                now = try await context.incarnation()
            } catch let error as MongoError where context.changes.explainsRefusal(error) {
                return total ?? report
            }
            if now == incarnation, let total { return total }
            incarnation = now
            guard location.isSeekable else { break }
            observer.noticed("the server may have lost what was written; going through it again")
        }
        throw SnapshotError(
            .notEqual,
            "the server was restarted, or another one became primary, while it was written to, so "
                + "that some documents may be missing; run it again")
    }

    /// By the server's clock, which is the same for all who might undo it or clean up.
    private func keeping() async throws -> Keeping? {
        guard let keepOld = options.keepOld else { return nil }
        let now = try await pool.withConnection { try await $0.localTime() / 1000 }
        return Keeping(job: keepOld.job, expiry: now + keepOld.seconds)
    }

    /// Opens the archive. A merge writes to live collections as it reads, so an archive without
    /// checksums of its chunks is read to its end once before, where it can be.
    private func openChecked() async throws -> OpenedArchive {
        let archive = try await location.open()
        let reader = archive.reader
        for note in reader.notes { observer.noticed(note) }
        guard options.mode == .merge, reader.manifest == nil, location.isSeekable else {
            return archive
        }
        _ = try await ArchiveVerifier.verify(reader, width: options.width)
        return try await location.open()
    }
}

/// What a restore did.
public struct RestoreReport: Sendable {
    /// A namespace that was restored.
    public struct Entry: Sendable {
        /// Its name in the archive.
        public var source: Namespace
        /// Its name on the server.
        public var target: Namespace
        public var type: NamespaceType
        public var outcome: LoadOutcome
        /// What its documents are; nil for a view, which has none.
        public var unit: StoredUnit? { StoredUnit(source, type) }
    }

    /// The archive's manifest; nil for archives of other tools.
    public var manifest: Manifest?
    public var entries: [Entry] = []
    /// What was left out or changed of options and indexes that servers no longer take, one
    /// sentence each; at most a hundred, and then how many more.
    public var adjustments: [String] = []
    /// Until when what was displaced is kept, in seconds since 1970 by the server's clock; nil when
    /// it is not.
    public var keptUntil: Int64?
    /// Entries of the archive's oplog that were replayed; nil when it has none or it was left out.
    public var replayedCount: UInt64?
    /// Bytes that were read from the archive.
    public var storedByteCount: UInt64 = 0
    public var seconds: Double = 0

    /// What both have done, of the same documents, one after the other.
    func followed(by later: RestoreReport) -> RestoreReport {
        var report = later
        for (position, entry) in report.entries.enumerated() {
            guard let earlier = entries.first(where: { $0.target == entry.target }) else {
                continue
            }
            report.entries[position].outcome = earlier.outcome.followed(by: entry.outcome)
        }
        return report
    }

    /// Sums over all namespaces.
    public var outcome: LoadOutcome {
        entries.reduce(into: LoadOutcome()) { $0.add($1.outcome) }
    }
}
