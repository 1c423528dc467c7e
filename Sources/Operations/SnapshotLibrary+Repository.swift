internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

extension SnapshotLibrary {
    /// Removes a snapshot.
    ///
    /// - Parameter isForced: whether it goes even if it is the last verified one.
    /// - Throws: `SnapshotError` with `notFound`, `locked` or `lastVerified`.
    public func delete(_ id: String, isForced: Bool) async throws {
        _ = try await SnapshotRemoval(catalog, locks: locks, observer: LoggingObserver(log: log))
            .run(try Self.id(id), isForced: isForced)
    }

    /// The repository as a whole.
    func statistics() async throws -> JSONValue {
        JSONValue(try await RepositoryStatistics(catalog, now: environment.now())).service()
    }

    /// The same for monitors.
    func gauges() async throws -> [(name: String, help: String, value: Double)] {
        let statistics = try await RepositoryStatistics(catalog, now: environment.now())
        var gauges: [(name: String, help: String, value: Double)] = [
            ("cairn_backups", "Backups in the repository.", Double(statistics.count)),
            (
                "cairn_backups_damaged", "Those of them that are damaged.",
                Double(statistics.damagedCount)
            ),
            (
                "cairn_repository_stored_bytes", "Bytes of all archives.",
                Double(statistics.storedByteCount)
            ),
        ]
        func add(_ name: String, _ help: String, _ value: Double?) {
            if let value { gauges.append((name, help, value)) }
        }
        add(
            "cairn_backup_last_success_timestamp_seconds", "When the newest backup was taken.",
            statistics.lastSuccess.map { Double($0.at) / 1000 })
        add(
            "cairn_backup_last_verified_timestamp_seconds",
            "When a backup was last found to be whole.",
            statistics.lastVerified.map { Double($0.at) / 1000 })
        add(
            "cairn_repository_free_bytes", "Bytes that are free where the repository is.",
            statistics.freeByteCount.map { Double($0) })
        return gauges
    }
}
