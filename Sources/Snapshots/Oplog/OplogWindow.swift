internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// The time during which collections are read one after another, and whose changes are taken from
/// the server's oplog, so that a restore can bring all of them to the window's end.
struct OplogWindow: Hashable, Sendable {
    /// The first entry that is wanted.
    let start: BSONTimestamp
    /// Nothing is read of a collection that is older than this.
    ///
    /// Later than `start`, so that a transaction that was under way at `start` is either among
    /// those whose first entry `start` does not come after, or wholly in what is read.
    let floor: BSONTimestamp

    /// Opens a window now. Collections are to be listed when it is open.
    static func open(_ connection: MongoConnection) async throws -> OplogWindow {
        let newest = try await connection.newestOplogTime()
        let openTransaction = try await connection.oldestOpenTransactionTime()
        guard let floor = try await connection.operationTime() else {
            throw SnapshotError(.unsupported, "the server has no cluster time, so no oplog either")
        }
        return OplogWindow(start: min(newest, openTransaction ?? newest), floor: floor)
    }

    /// An oplog is a ring: what is written overwrites what is oldest.
    ///
    /// - Parameter oldest: the time of the oldest entry that there still is.
    /// - Throws: `oplogOverflow` when entries of this window are gone.
    func check(oldest: BSONTimestamp) throws(SnapshotError) {
        guard oldest > start else { return }
        throw Self.overflow
    }

    static var overflow: SnapshotError {
        SnapshotError(
            .oplogOverflow,
            "the server's oplog no longer reaches back to the start of the backup; enlarge it "
                + "(replSetResizeOplog), or back up at a quieter time")
    }

    /// The entry that the window begins with was never committed by a majority.
    static var rolledBack: SnapshotError {
        SnapshotError(
            .catalogChanged,
            "another server became primary during the backup and rolled back the change that the "
                + "backup's oplog begins with; run it again")
    }
}
