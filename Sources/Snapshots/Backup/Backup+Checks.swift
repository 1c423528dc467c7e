internal import ArchiveFormat
internal import MongoDriver
internal import Synchronization

/// What must hold so that a backup may claim what it claims.
extension Backup {
    /// A selection that fits nothing is a mistake, not an empty backup.
    func checkSelection(_ catalog: SourceCatalog) throws {
        guard catalog.entries.isEmpty, !options.filter.isEverything else { return }
        throw SnapshotError(
            .notFound,
            "no namespace of the server fits the selection; check --db and --ns-include")
    }

    /// A collection that was dropped before its cursor was opened reads as empty. One that is still
    /// there, or that gave documents, was read; any other might be missing from the snapshot
    /// without anybody knowing.
    func checkNothingVanished(
        _ plan: BackupPlan, _ entries: [Manifest.NamespaceEntry]
    ) async throws {
        // With an oplog, what was dropped is of no account: the oplog has that too.
        guard plan.window == nil else { return }
        let empty = plan.streams.filter { stream in
            stream.request != nil && stream.dataUUID != nil
                && entries[Int(stream.ordinal)].totals.documentCount == 0
        }
        for (database, streams) in Dictionary(
            grouping: empty, by: \.descriptor.namespace.database)
        {
            let collections = try await LiveCatalog.collections(pool, database)
            for stream in streams
            where collections[stream.descriptor.dataNamespace]?.uuid != stream.dataUUID {
                throw SnapshotError(
                    .catalogChanged,
                    "collection \(stream.descriptor.namespace) was dropped or renamed during the "
                        + "backup; run it again")
            }
        }
    }

    /// Bytes of all documents that are about to be read, for the progress bar.
    func estimate(_ plan: BackupPlan) async throws -> UInt64? {
        // One command a collection: worth it for a few, a delay for thousands.
        guard plan.streams.count <= 200 else { return nil }
        return try await pool.withConnection { connection in
            var byteCount: UInt64 = 0
            for stream in plan.streams where stream.request != nil {
                let namespace = stream.descriptor.dataNamespace
                let statistics = try await connection.statistics(
                    of: namespace.collection, in: namespace.database)
                byteCount &+= UInt64(clamping: statistics.byteCount)
            }
            return byteCount
        }
    }
}

/// Bytes that are about to be read, once they are known.
final class SizeEstimate: Sendable {
    private let state = Mutex<UInt64?>(nil)

    /// Nil as long as they are not known.
    var byteCount: UInt64? { state.withLock { $0 } }

    func set(to byteCount: UInt64?) {
        state.withLock { $0 = byteCount }
    }
}

extension Backup.Options {
    /// Checks that the description is one, as `Backup.run` does first of all.
    ///
    /// - Throws: `usage`.
    public func checkDescription() throws(SnapshotError) {
        guard let description else { return }
        guard FreeText.isAllowed(description),
            description.utf8.count <= ArchiveLimits.descriptionByteCountMax
        else {
            throw SnapshotError(
                .usage,
                "a description is at most \(ArchiveLimits.descriptionByteCountMax) bytes long and "
                    + "has no line breaks, control characters or characters that are not seen")
        }
    }
}
