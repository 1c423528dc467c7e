internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// Takes a window's entries out of a server's oplog, when all collections were read.
final class OplogCapture: Sendable {
    private let pool: MongoPool
    private let window: OplogWindow
    private let options: Backup.Options
    private let finalTime = Mutex<BSONTimestamp?>(nil)

    init(_ window: OplogWindow, _ pool: MongoPool, _ options: Backup.Options) {
        self.window = window
        self.pool = pool
        self.options = options
    }

    /// What was achieved; the window's end is known when `read` has returned.
    var consistency: Manifest.Consistency {
        .oplog(from: window.start, to: finalTime.withLock { $0 } ?? window.start)
    }

    /// Reads the entries from the window's start to the newest that there is now.
    ///
    /// What was read of collections was committed by a majority (see `FindRequest`), so all of it
    /// is in entries not newer than that one. Entries too are read by a majority's view that is at
    /// least as new, forward, so that none is missing in between and none can be rolled back.
    ///
    /// - Parameter take: gets each piece in file order.
    /// - Throws: `oplogOverflow`; `catalogChanged` for a change that no replay can make.
    func read(
        _ stream: BackupPlan.Stream, _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            let end = try await connection.newestOplogTime()
            try window.check(oldest: try await connection.oldestOplogTime())
            var cutter = ChunkCutter(stream, targetByteCount: options.chunkTargetByteCount)
            try await connection.withCursor(request(upTo: end)) { cursor in
                var isFirst = true
                while let batch = try await cursor.nextBatch() {
                    // Also where another member is read, whose oplog may be shorter.
                    if isFirst, let first = try batch.documents().first {
                        try window.check(oldest: try first.require("ts", \.timestamp))
                    }
                    isFirst = false
                    try await options.rateLimiter?.take(batch)
                    for piece in try Self.cut(batch, &cutter) { try await take(piece) }
                }
            }
            try await take(cutter.endOfNamespace())
            try window.check(oldest: try await connection.oldestOplogTime())
            finalTime.withLock { $0 = end }
        }
    }

    private func request(upTo end: BSONTimestamp) -> FindRequest {
        var request = FindRequest(database: "local", collection: "oplog.rs")
        let range = BSONDocument {
            $0.append("$gte", window.start)
            $0.append("$lte", end)
        }
        request.filter = BSONDocument { $0.append("ts", range) }
        request.afterClusterTime = max(end, window.floor)
        request.noCursorTimeout = true
        return request
    }

    private static func cut(
        _ batch: RawBatch, _ cutter: inout ChunkCutter
    ) throws -> [ArchivePiece] {
        do {
            try batch.forEachDocument { try check(OplogEntry(BSONDocument(validating: Array($0)))) }
            return try cutter.cut(batch)
        } catch let error as BSONError where error.code == .lengthOutOfBounds {
            // Servers allow entries 16 KiB more than documents.
            throw SnapshotError(
                .unsupported,
                "the oplog has an entry that is larger than an archive's documents can be: "
                    + "\(error)")
        }
    }

    /// Finds what nobody could replay, wherever it is nested.
    private static func check(_ entry: OplogEntry) throws {
        if entry.namespace == Namespace("admin", "system.version") {
            throw changed("the server's feature compatibility version or authorization schema")
        }
        guard let command = try entry.command else { return }
        switch command.name {
        case "applyOps":
            for operation in try entry.operations { try check(operation) }
        case "importCollection", "upgradeDowngradeViewlessTimeseries":
            throw changed("a collection by \(command.name)")
        case "create" where entry.namespace.database == "config":
            let name = command.value.string ?? ""
            guard name.hasPrefix("reshardingOperations") || name.hasPrefix("localResharding")
            else { return }
            throw changed("the sharding of a collection")
        case "renameCollection":
            let names = [command.value.string, try entry.object.first("to")?.string]
            let isRestores = names.contains { name in
                let namespace = name.flatMap { Namespace(parsing: $0) }
                return namespace.map { ReservedName.contains($0.collection) } ?? false
            }
            guard isRestores else { return }
            // What such a collection held was not backed up.
            throw changed("collections by a restore")
        default:
            return
        }
    }

    private static func changed(_ what: String) -> SnapshotError {
        SnapshotError(
            .catalogChanged,
            "something changed \(what) during the backup, which can't be replayed; run it again")
    }
}
