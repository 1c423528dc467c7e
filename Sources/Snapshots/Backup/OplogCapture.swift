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
    /// - Throws: `oplogOverflow`; `catalogChanged` for a change that no replay can make;
    ///   `unsupported` for an entry that isn't understood.
    func read(
        _ stream: BackupPlan.Stream, _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            let end = try await connection.newestOplogTime()
            try window.check(oldest: try await connection.oldestOplogTime())
            var cutter = ChunkCutter(stream, targetByteCount: options.chunkTargetByteCount)
            do {
                try await read(upTo: end, connection, &cutter, take)
            } catch let error as MongoError
                where error.serverCode == Backup.cappedPositionLost
            {
                throw OplogWindow.overflow
            }
            try await take(cutter.endOfNamespace())
            try window.check(oldest: try await connection.oldestOplogTime())
            finalTime.withLock { $0 = end }
        }
    }

    private func read(
        upTo end: BSONTimestamp, _ connection: MongoConnection, _ cutter: inout ChunkCutter,
        _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        var transactions = BegunTransactions(floor: window.floor)
        try await connection.withCursor(request(upTo: end)) { cursor in
            var isChecked = false
            while let batch = try await cursor.nextBatch() {
                if !isChecked, let first = try batch.documents().first {
                    try await check(first: first.require("ts", \.timestamp), connection)
                    isChecked = true
                }
                try await options.rateLimiter?.take(batch)
                for piece in try Self.cut(batch, &cutter, &transactions) {
                    try await take(piece)
                }
            }
            guard isChecked else { throw OplogWindow.rolledBack }
        }
    }

    /// Proves that the window's first entry is there. It may have been overwritten, also on another
    /// member that is read and whose oplog is shorter; or taken back when another server became
    /// primary, which no larger oplog helps against.
    ///
    /// - Throws: `oplogOverflow`, `catalogChanged`.
    private func check(first: BSONTimestamp, _ connection: MongoConnection) async throws {
        guard first > window.start else { return }
        try window.check(oldest: try await connection.oldestOplogTime())
        guard try await connection.hasOplogEntry(at: window.start) else {
            throw OplogWindow.rolledBack
        }
        throw OplogWindow.overflow
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
        _ batch: RawBatch, _ cutter: inout ChunkCutter, _ transactions: inout BegunTransactions
    ) throws -> [ArchivePiece] {
        let rules = OplogRules()
        do {
            try batch.forEachDocument { bytes in
                let entry = try OplogEntry(BSONDocument(validating: Array(bytes)))
                try check(entry)
                try rules.check(entry)
                try transactions.add(entry)
            }
            return try cutter.cut(batch)
        } catch let refusal as OplogRefusal {
            throw SnapshotError(
                .unsupported,
                "the server's oplog can't be replayed because of \(refusal); without the oplog, "
                    + "--consistency none backs up collections as they are found")
        } catch let error as BSONError where error.code == .lengthOutOfBounds {
            // Servers allow entries 16 KiB more than documents.
            throw SnapshotError(
                .unsupported,
                "the oplog has an entry that is larger than an archive's documents can be: "
                    + "\(error)")
        }
    }

    /// Finds changes that are over when the backup starts over, wherever they are nested.
    private static func check(_ entry: OplogEntry) throws {
        if entry.namespace == Namespace("admin", "system.version"), entry.kind != nil {
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

/// Transactions that have begun within a window, so that all of their entries are in it.
private struct BegunTransactions {
    /// What was read is not older than this: a transaction that ended before is in it.
    let floor: BSONTimestamp
    private var begun: Set<OplogEntry.TransactionID> = []

    init(floor: BSONTimestamp) {
        self.floor = floor
    }

    /// - Throws: `catalogChanged` for a transaction whose first entries are missing, and that ended
    ///   after collections were read.
    mutating func add(_ entry: OplogEntry) throws {
        guard let id = entry.transaction, let command = try entry.command else { return }
        switch command.name {
        case "applyOps":
            let isLast = try !entry.isPartial
            if entry.previous == nil {
                if !isLast { begun.insert(id) }
            } else if isLast {
                try end(id, at: entry.time)
            }
        case "commitTransaction": try end(id, at: entry.time)
        case "abortTransaction": begun.remove(id)
        default: return
        }
    }

    private mutating func end(
        _ id: OplogEntry.TransactionID, at time: BSONTimestamp?
    ) throws {
        let isWhole = begun.remove(id) != nil
        guard !isWhole, let time, time > floor else { return }
        throw SnapshotError(
            .catalogChanged,
            "a transaction that had begun before the backup ended during it, and its first "
                + "changes are missing; run it again")
    }
}
