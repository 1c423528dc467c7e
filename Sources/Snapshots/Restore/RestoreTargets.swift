internal import ArchiveEngine
public import ArchiveFormat
public import MongoDriver

/// Which live collections a restore would replace.
public enum RestoreTargets {
    /// Those there are now.
    ///
    /// - Throws: `SnapshotError` and `ArchiveError` where the restore would throw them;
    ///   `MongoError`.
    public static func live(
        _ location: ArchiveLocation, _ options: Restore.Options, _ pool: MongoPool,
        _ observer: any JobObserver
    ) async throws -> [Namespace] {
        let reader = try await location.open().reader
        let server = try await pool.withConnection { try await $0.serverInfo() }
        let targets = try RestorePlan.choose(reader, options, server, observer).map(\.target)
        let live = try await LiveCatalog.read(Set(targets.map(\.database)), pool)
        return targets.filter { live[$0] != nil }
    }
}
