internal import SnapshotJSON
internal import Snapshots

extension SnapshotWork {
    /// Checks all of a snapshot; what came of it is kept with it.
    func verify(_ id: String, _ observer: any JobObserver) async throws -> JobOutcome {
        let location = try await library.location(of: id)
        let report = try await library.locks.withLock(
            .reading([try SnapshotLibrary.id(id)], as: .verify), observer: observer
        ) {
            try await SnapshotVerification(
                location, width: settings.width, environment: library.environment,
                observer: observer
            ).run()
        }
        return JobOutcome(result: JSONValue(report, path: nil).service().text)
    }

    /// Removes snapshots that need not be kept, or tells which and why.
    func cleanUp(
        _ request: CleanupRequest, _ job: JobAssignment, _ observer: any JobObserver
    ) async throws -> JobOutcome {
        let report = try await Retention(
            library.catalog, request.policy(standard: settings.retention), locks: library.locks,
            environment: library.environment, observer: observer,
            removed: { [log = library.log] id in
                job.removals.add(id.description)
                log.removed(id.description, isAsked: false, hasSucceeded: true)
            }
        ).run(isDryRun: request.dryRun ?? false)
        for failure in report.failures {
            library.log.removed(failure.id.description, isAsked: false, hasSucceeded: false)
        }
        return JobOutcome(
            result: JSONValue(report).service(adding: ["job_id": .string(job.id)]).text,
            isPartial: !report.failures.isEmpty)
    }
}
