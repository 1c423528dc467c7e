internal import ArchiveFormat
internal import MongoDriver
internal import SnapshotJSON
public import Snapshots

/// Does what jobs are about: backups, restores, previews, verifications, comparisons and retention.
/// What each of them is, the layer below knows; here stands which locks it takes, what comes
/// before and after it, and how its result is told.
public struct SnapshotWork: JobWork {
    let library: SnapshotLibrary
    private let environment: JobEnvironment

    public init(_ library: SnapshotLibrary, environment: JobEnvironment) {
        self.library = library
        self.environment = environment
    }

    var settings: ServiceSettings { library.settings }

    public func perform(
        _ job: JobAssignment, _ observer: any JobObserver,
        note: @escaping @Sendable (String) async throws -> Void
    ) async throws -> JobOutcome {
        switch job.request {
        case .backup(let request):
            return try await backUp(request, job, observer).outcome
        case .scheduledBackup(let request):
            return try await backUpBySchedule(request, job, observer)
        case .restore(let request):
            return request.mode == .preview
                ? try await preview(request, job, observer)
                : try await restore(request, job, observer, note)
        case .verify(let request): return try await verify(request.snapshot, observer)
        case .diff(let request): return try await compare(request, job, observer)
        case .cleanup(let request): return try await cleanUp(request, job, observer)
        }
    }

    // MARK: Backup

    private func backUp(
        _ request: BackupRequest, _ job: JobAssignment, _ observer: any JobObserver
    ) async throws -> (outcome: JobOutcome, report: Backup.Report) {
        var options = try request.options(width: settings.width)
        options.id = job.newSnapshot.flatMap { SnapshotID($0) }
        options.isResumed = job.isResumed
        let pool = try settings.makePool(
            connectionCountMax: options.readerCount + 1, isPatient: false)
        defer { pool.close() }
        let deployment = try await settings.deployment(pool, observer)
        let claim = LockClaim.backup(of: options.filter, on: deployment)
        let report = try await library.locks.withLock(claim, observer: observer) {
            try await run(options, pool, observer)
        }
        let outcome = JobOutcome(
            result: JSONValue(report, path: nil).service().text, snapshot: report.manifest.id)
        return (outcome, report)
    }

    func run(
        _ options: Backup.Options, _ pool: MongoPool, _ observer: any JobObserver
    ) async throws -> Backup.Report {
        var options = options
        options.enduranceSeconds = settings.enduranceSeconds
        return try await Backup(
            pool, to: .repository(library.store), options: options, environment: environment,
            observer: observer
        ).run()
    }

    /// A backup that is there stays, whatever becomes of what follows it.
    private func backUpBySchedule(
        _ request: ScheduledBackupRequest, _ job: JobAssignment, _ observer: any JobObserver
    ) async throws -> JobOutcome {
        var backup = request.backup
        backup.backupType = backup.backupType ?? "scheduled"
        let (made, report) = try await backUp(backup, job, observer)
        var problems: [JSONValue] = []
        func note(_ part: String, _ code: String, _ message: String) {
            problems.append(
                .object([
                    "part": .string(part), "code": .string(code), "message": .string(message),
                ]))
        }
        func part(_ name: String, _ body: () async throws -> JobOutcome) async throws -> JSONValue {
            do {
                let outcome = try await body()
                if outcome.isPartial {
                    note(name, "partially_failed", "not all of it was done; see its result")
                }
                return .verbatim(outcome.result)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                let failure = JobFailure(error)
                library.log.failed("the \(name) after a backup failed", job: job.id, error)
                note(name, failure.code, failure.message)
                return .null
            }
        }
        let verification =
            request.verifies
            ? try await part("verification") { try await verify(report.manifest.id, observer) }
            : .null
        let retention = try await part("retention") {
            try await cleanUp(request.retention, job, observer)
        }
        return JobOutcome(
            result: JSONValue.object([
                "backup": .verbatim(made.result), "verification": verification,
                "retention": retention, "problems": .array(problems),
            ]).text,
            isPartial: !problems.isEmpty, snapshot: report.manifest.id)
    }

    // MARK: What only reads

    private func preview(
        _ request: RestoreRequest, _ job: JobAssignment, _ observer: any JobObserver
    ) async throws -> JobOutcome {
        let options = try request.options(width: settings.width)
        var comparison = Comparison.Options(width: settings.width)
        comparison.sampleCount = request.samples ?? comparison.sampleCount
        let pool = try settings.makePool(
            connectionCountMax: options.connectionCount, isPatient: true)
        defer { pool.close() }
        let location = try await library.location(of: request.snapshot)
        let report = try await library.locks.withLock(
            .reading([try SnapshotLibrary.id(request.snapshot)], as: .preview),
            observer: observer
        ) {
            try await LiveComparison(
                location, with: pool, for: .preview, restore: options, options: comparison,
                observer: observer
            ).run()
        }
        return JobOutcome(
            result: try JSONValue(preview: report).service(adding: ["job_id": .string(job.id)])
                .text)
    }

    private func compare(
        _ request: DiffRequest, _ job: JobAssignment, _ observer: any JobObserver
    ) async throws -> JobOutcome {
        var options = Comparison.Options(width: settings.width)
        options.sampleCount = request.samples ?? options.sampleCount
        let first = try await library.location(of: request.snapshot)
        let second = try await library.location(of: request.other)
        let report = try await library.locks.withLock(
            .reading(
                [
                    try SnapshotLibrary.id(request.snapshot),
                    try SnapshotLibrary.id(request.other),
                ], as: .read),
            observer: observer
        ) {
            try await Comparison(first, second, options: options, observer: observer).run()
        }
        return JobOutcome(
            result: try JSONValue(report).service(adding: ["job_id": .string(job.id)]).text)
    }
}
