internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
public import MongoDriver

/// Puts an archive back: open → plan → prepare → load → compare → replay → complete → commit. Up to
/// the commit the live data is as it was, and the commit of a collection is one rename. When it
/// throws, what it had loaded is removed.
public struct Restore: Sendable {
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
