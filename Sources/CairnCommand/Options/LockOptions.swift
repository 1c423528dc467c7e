internal import ArgumentParser
internal import Snapshots

/// How long a command waits for others that are in its way.
struct LockOptions: ParsableArguments, Sendable {
    /// A time.
    @Option(
        help: ArgumentHelp(
            "How long to wait for another job that works on the same snapshots or collections, "
                + "such as 10m. (default: 0s)",
            valueName: "time"))
    var lockWait: TimeSpan?

    /// In seconds.
    var seconds: Double { Double(lockWait?.seconds ?? 0) }

    /// Runs `body` while a snapshot of a repository can't be removed; a file outside of any is
    /// nobody's to keep.
    ///
    /// - Throws: `SnapshotError` with `locked`; what `body` throws.
    func using<Result>(
        _ archive: ArchiveOptions.Located, as operation: LockClaim.Operation,
        _ observer: any JobObserver, _ body: @escaping () async throws -> Result
    ) async throws -> Result {
        guard let id = archive.snapshot, let repository = archive.repository else {
            return try await body()
        }
        return try await repository.locks.withLock(
            .reading([id], as: operation), waitSeconds: seconds, observer: observer, body)
    }
}
