internal import ArchiveFormat
internal import ObjectStorage
internal import SnapshotJSON
internal import Snapshots

extension SnapshotLibrary {
    /// Removes a snapshot.
    ///
    /// - Parameter isForced: whether it goes even if it is the last verified one.
    /// - Throws: `SnapshotError` with `notFound`, `locked` or `lastVerified`.
    public func delete(_ id: String, isForced: Bool) async throws {
        let name = try Self.id(id)
        do {
            _ = try await SnapshotRemoval(
                catalog, locks: locks, observer: LoggingObserver(log: log)
            ).run(name, isForced: isForced)
            log.removed(id, isAsked: true, hasSucceeded: true)
        } catch {
            log.removed(id, isAsked: true, hasSucceeded: false)
            throw error
        }
    }

    /// The repository as a whole.
    func statistics() async throws -> JSONValue {
        JSONValue(try await RepositoryStatistics(catalog, now: environment.now())).service()
            .renaming("snapshots", to: "backups")
    }

    /// The same for monitors.
    func gauges() async throws -> [MonitoredValue] {
        let overviews = try await catalog.overviews()
        let statistics = RepositoryStatistics(
            overviews, space: try await store.space(), now: environment.now())
        let last = overviews.first { $0.id == statistics.lastSuccess?.id }
        let gauges: [(String, String, Double?)] = [
            ("cairn_backups", "Backups in the repository.", Double(statistics.count)),
            (
                "cairn_backups_damaged", "Those of them that are damaged.",
                Double(statistics.damagedCount)
            ),
            (
                "cairn_repository_stored_bytes", "Bytes of all archives.",
                Double(statistics.storedByteCount)
            ),
            (
                "cairn_repository_free_bytes", "Bytes that are free where the repository is.",
                statistics.freeByteCount.map { Double($0) }
            ),
            (
                "cairn_backup_last_verified_timestamp_seconds",
                "When a backup was last found to be whole.",
                statistics.lastVerified.map { Double($0.at) / 1000 }
            ),
            (
                "cairn_backup_last_success_timestamp_seconds", "When the newest backup was taken.",
                statistics.lastSuccess.map { Double($0.at) / 1000 }
            ),
        ]
        return (gauges + (last.map(Self.gauges) ?? [])).compactMap { name, help, value in
            value.map { MonitoredValue(name, help, $0) }
        }
    }

    /// How large the newest backup is: one that suddenly is small is worth a look.
    private static func gauges(
        ofLast last: SnapshotCatalog.Overview
    ) -> [(String, String, Double?)] {
        [
            (
                "cairn_backup_last_documents", "Documents in the newest backup.",
                last.facts.map { Double($0.documentCount) }
            ),
            (
                "cairn_backup_last_bytes", "Bytes of documents in the newest backup.",
                last.facts.map { Double($0.documentByteCount) }
            ),
            (
                "cairn_backup_last_stored_bytes", "Bytes of the newest backup's archive.",
                Double(last.storedByteCount)
            ),
            (
                "cairn_backup_last_duration_seconds", "How long the newest backup took.",
                last.facts?.seconds
            ),
        ]
    }
}
