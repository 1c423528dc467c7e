internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Reads the namespaces of a plan with several cursors at once and gives their pieces in the order
/// of the plan.
///
/// A namespace is looked into before its turn: when it ends with its first reply, as tiny ones do,
/// it is read. A larger one is read when its turn comes, because a cursor that waits for hours dies
/// with its session. Memory: `readerCount` × (a reply + `rangeByteCount`).
struct NamespaceReader: Sendable {
    let pool: MongoPool
    let options: Backup.Options
    /// Told what can't be done as asked, though the backup goes on.
    let observer: any JobObserver
    let endurance: Endurance
    /// Where a killed backup was, of the first of the namespaces to be read.
    var position: UnfinishedBackup.Position?

    /// Reads all of a plan.
    ///
    /// - Parameter take: gets each piece in file order; waits when the writer is behind.
    /// - Throws: `MongoError`; `BSONError` for a reply that is not BSON; what `take` throws.
    func read(
        _ streams: ArraySlice<BackupPlan.Stream>, _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        var waiting = streams
        try await withOrderedWindow(
            width: options.readerCount, next: { waiting.popFirst() },
            transform: { (stream: BackupPlan.Stream) async throws -> Glimpse in
                try await look(into: stream)
            },
            deliver: { glimpse in
                switch glimpse {
                case .whole(let pieces): for piece in pieces { try await take(piece) }
                case .beginning(let stream): try await readLarge(stream, take)
                }
            })
    }

    /// What was seen of a namespace.
    private enum Glimpse: Sendable {
        case whole([ArchivePiece])
        case beginning(BackupPlan.Stream)
    }

    private func look(into stream: BackupPlan.Stream) async throws -> Glimpse {
        guard let request = stream.request else {
            return .whole([makeCutter(stream, byteCount: 0).endOfNamespace()])
        }
        // What was begun before is large.
        if stream.ordinal == position?.ordinal { return .beginning(stream) }
        return try await endurance.run { _ in try await look(into: stream, request) }
    }

    private func look(
        into stream: BackupPlan.Stream, _ request: FindRequest
    ) async throws -> Glimpse {
        try await withCursor(request, of: stream) { cursor in
            let batch = try await cursor.nextBatch()
            guard await cursor.isExhausted else { return .beginning(stream) }
            var cutter = makeCutter(stream, byteCount: batch?.byteCount ?? 0)
            var pieces: [ArchivePiece] = []
            if let batch {
                try await options.rateLimiter?.take(batch)
                pieces = try cutter.cut(batch)
            }
            return .whole(pieces + [cutter.endOfNamespace()])
        }
    }

    private func readLarge(
        _ stream: BackupPlan.Stream, _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        guard let request = stream.request else { preconditionFailure("a view is never large") }
        if options.readOrder == .id, stream.canBeSplit,
            let ranges = try await IDRanges(request, pool, options.rangeByteCount, observer)
        {
            return try await read(stream, in: ranges, take)
        }
        let cutter = try await read(request, of: stream, take)
        try await take(cutter.endOfNamespace())
    }

    /// Reads a namespace by ranges of its `_id`, several at once, each held in memory until its
    /// turn.
    private func read(
        _ stream: BackupPlan.Stream, in ranges: IDRanges,
        _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        var ranges = ranges
        try await withOrderedWindow(
            width: options.readerCount, next: { try await ranges.next() },
            transform: { (range: IDRanges.Range) async throws -> ReadRange in
                try await readAhead(range, of: stream)
            },
            deliver: { range in
                if let pieces = range.pieces {
                    for piece in pieces { try await take(piece) }
                } else if let last = try await read(range.range, of: stream, take) {
                    try await take(last)
                }
            })
    }

    /// A range and what was read of it; nil when that was too much to be held.
    private struct ReadRange: Sendable {
        let range: IDRanges.Range
        var pieces: [ArchivePiece]?
    }

    private func readAhead(
        _ range: IDRanges.Range, of stream: BackupPlan.Stream
    ) async throws -> ReadRange {
        var result = ReadRange(range: range, pieces: [])
        var byteCount = 0
        do {
            let last = try await read(range, of: stream) { piece in
                byteCount += piece.chunk.bytes.count
                // A range has as many bytes as its documents would have, were they average ones.
                guard byteCount <= 2 * options.rangeByteCount else { throw RangeTooLarge() }
                result.pieces?.append(piece)
            }
            if let last { result.pieces?.append(last) }
        } catch is RangeTooLarge {
            result.pieces = nil
        }
        return result
    }

    private struct RangeTooLarge: Error {}

    /// Reads a range; answers its last piece.
    private func read(
        _ range: IDRanges.Range, of stream: BackupPlan.Stream,
        _ take: (ArchivePiece) async throws -> Void
    ) async throws -> ArchivePiece? {
        let cutter = try await read(range.request, of: stream, take)
        return range.isLast ? cutter.endOfNamespace() : cutter.endOfRange()
    }

    /// Reads what one cursor gives, the next reply on its way while one is cut into chunks.
    private func read(
        _ request: FindRequest, of stream: BackupPlan.Stream,
        _ take: (ArchivePiece) async throws -> Void
    ) async throws -> ChunkCutter {
        var cutter = makeCutter(stream)
        if let position, position.ordinal == stream.ordinal { cutter.resume(from: position) }
        var serverID: UInt32?
        guard request.isOfInstant, request.isInOrderOfStorage else {
            do {
                try await readOn(request, of: stream, &cutter, &serverID, take)
            } catch let error as MongoError where error.mayPass && options.enduranceSeconds > 0 {
                throw SnapshotError(
                    .interrupted,
                    "the server was gone while \(stream.descriptor.namespace) was read, which "
                        + "can't be resumed: \(error)")
            }
            return cutter
        }
        try await endurance.run { _ in
            try await readOn(request, of: stream, &cutter, &serverID, take)
        }
        return cutter
    }

    /// Reads what the cutter has not taken yet. As of one instant, and on one server, the same
    /// documents come in the same order.
    private func readOn(
        _ request: FindRequest, of stream: BackupPlan.Stream, _ cutter: inout ChunkCutter,
        _ serverID: inout UInt32?, _ take: (ArchivePiece) async throws -> Void
    ) async throws {
        var request = request
        var last = cutter.lastDocument
        request.skip = max(0, cutter.documentCount - 1)
        try await withCursor(request, of: stream) { cursor in
            guard serverID == nil || cursor.serverID == nil || serverID == cursor.serverID else {
                throw ChunkCutter.otherOrder(stream)
            }
            serverID = cursor.serverID
            var waiting = try await cursor.nextBatch()
            while let batch = waiting {
                try await options.rateLimiter?.take(batch)
                let isLarge = batch.isLarge
                async let following = isLarge ? nil : cursor.nextBatch()
                let pieces = try cutter.cut(batch, after: last)
                last = nil
                for piece in pieces { try await take(piece) }
                waiting = try await following
                if isLarge { waiting = try await cursor.nextBatch() }
            }
            guard last == nil else { throw ChunkCutter.otherOrder(stream) }
        }
    }

    private func withCursor<Result>(
        _ request: FindRequest, of stream: BackupPlan.Stream,
        _ body: (SourceCursor) async throws -> Result
    ) async throws -> Result {
        try await pool.withConnection { connection in
            try await connection.withCursor(request, identity: stream.dataUUID, body)
        }
    }

    private func makeCutter(_ stream: BackupPlan.Stream, byteCount: Int? = nil) -> ChunkCutter {
        ChunkCutter(
            stream, targetByteCount: options.chunkTargetByteCount, byteCount: byteCount)
    }
}
