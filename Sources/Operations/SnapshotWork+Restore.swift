internal import ArchiveFormat
internal import MongoDriver
internal import SnapshotJSON
internal import Snapshots

extension SnapshotWork {
    /// A restore that replaces backs up what it replaces first, unless told not to.
    func restore(
        _ request: RestoreRequest, _ job: JobAssignment, _ observer: any JobObserver,
        _ note: @escaping @Sendable (String) async throws -> Void
    ) async throws -> JobOutcome {
        var options = try request.options(width: settings.width)
        options.enduranceSeconds = settings.enduranceSeconds
        options.isResumed = job.isResumed && options.mode == .replace && !options.isInPlace
        let pool = try settings.makePool(
            connectionCountMax: options.connectionCount, isPatient: true)
        defer { pool.close() }
        let location = try await library.location(of: request.snapshot)
        let id = try SnapshotLibrary.id(request.snapshot)
        // The snapshot at once: asking the server which one it is may take long.
        return try await library.locks.withLock(
            .reading([id], as: .restore), observer: observer
        ) {
            let deployment = try await settings.deployment(pool, observer)
            let claim = LockClaim.restore(of: id, to: deployment, options)
            return try await library.locks.withLock(claim, observer: observer) {
                var before: String?
                if options.mode == .replace, request.preRestoreBackup ?? true {
                    before = try await backUpBefore(location, options, job, pool, observer)
                    if let before {
                        try await note(before)
                        options.previousState = "the backup \(before)"
                    }
                }
                let report = try await Restore(
                    location, to: pool, options: options, observer: observer
                ).run()
                return Self.outcome(report, options, before)
            }
        }
    }

    private static func outcome(
        _ report: RestoreReport, _ options: Restore.Options, _ before: String?
    ) -> JobOutcome {
        let outcome = report.outcome
        return JobOutcome(
            result: JSONValue(report, options, path: nil).dropping("job", "kept_until").service(
                adding: [
                    "pre_restore_backup_id": .optional(before),
                    "first_refusal": .optional(outcome.firstFailure),
                ]).text,
            isPartial: outcome.failedCount > 0)
    }

    /// A backup of what a restore is about to replace; nil when nothing of it is there. One that
    /// resumes another makes its own: the data may have been written to since.
    private func backUpBefore(
        _ location: ArchiveLocation, _ options: Restore.Options, _ job: JobAssignment,
        _ pool: MongoPool, _ observer: any JobObserver
    ) async throws -> String? {
        let replaced = try await RestoreTargets.live(location, options, pool, observer)
        guard !replaced.isEmpty else {
            observer.noticed("nothing is backed up first: nothing of what is restored is there")
            return nil
        }
        var backup = Backup.Options(width: settings.width)
        backup.kind = SnapshotID.preRestoreKind
        backup.filter = NamespaceFilter(
            included: try replaced.map { try NamespacePattern(exactly: $0) })
        backup.description = "before \(job.id)"
        observer.noticed("backing up what is replaced first")
        return try await run(backup, pool, observer).manifest.id
    }
}
