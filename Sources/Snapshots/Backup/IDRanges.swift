internal import BSONBytes
internal import MongoDriver

/// The ranges of `_id` that a collection is read in, found by walking along the index as they are
/// asked for.
///
/// A range is a pair of bounds in the index and no filter: `$gte` and `$lt` compare within one type
/// only and would leave out documents whose `_id` is of another.
struct IDRanges {
    /// One range and how it is read.
    struct Range: Sendable {
        let request: FindRequest
        /// Whether it is the last one of its collection.
        let isLast: Bool
    }

    /// Bounds that one command looks for.
    private static let boundCountMax = 256
    /// What servers say that have no such command: routers of sharded clusters.
    private static let commandNotFound = 59

    private let request: FindRequest
    private let pool: MongoPool
    private let byteCount: Int
    private var lower: BSONDocument?
    private var bounds: ArraySlice<BSONDocument>
    /// Whether there may be bounds beyond those that are known.
    private var mayHaveMore: Bool
    private var isExhausted = false

    /// Finds the first ranges.
    ///
    /// - Parameter byteCount: about how many bytes of documents a range has, by their average.
    /// - Returns: nil when the collection can't be read in ranges, or has only one.
    init?(
        _ request: FindRequest, _ pool: MongoPool, _ byteCount: Int, _ observer: any JobObserver
    ) async throws {
        self.request = request
        self.pool = pool
        self.byteCount = byteCount
        do {
            let found = try await Self.bounds(of: request, after: nil, byteCount, pool)
            guard !found.isEmpty else { return nil }
            bounds = found[...]
            mayHaveMore = found.count == Self.boundCountMax
        } catch let error as MongoError
            where error.code == .unauthorized || error.code == .command
            || error.serverCode == Self.commandNotFound
        {
            observer.noticed(
                "\(request.database).\(request.collection) is read by one cursor, for its _ids "
                    + "can't be divided (the role clusterManager may): \(error)")
            return nil
        }
    }

    /// The next range, or nil behind the last one.
    mutating func next() async throws -> Range? {
        if bounds.isEmpty, mayHaveMore, let lower {
            let found = try await Self.bounds(of: request, after: lower, byteCount, pool)
            bounds = found[...]
            mayHaveMore = found.count == Self.boundCountMax
        }
        guard !isExhausted else { return nil }
        let upper = bounds.popFirst()
        isExhausted = upper == nil
        defer { lower = upper }
        var part = request
        part.hint = BSONDocument { $0.append("_id", Int32(1)) }
        part.min = lower
        part.max = upper
        return Range(request: part, isLast: upper == nil)
    }

    private static func bounds(
        of request: FindRequest, after lower: BSONDocument?, _ byteCount: Int, _ pool: MongoPool
    ) async throws -> [BSONDocument] {
        let command = BSONDocument {
            $0.append("splitVector", "\(request.database).\(request.collection)")
            $0.append("keyPattern", BSONDocument { $0.append("_id", Int32(1)) })
            // The server puts half as much into a range.
            $0.append("maxChunkSizeBytes", Int64(2 * byteCount))
            $0.append("maxSplitPoints", Int32(boundCountMax))
            if let lower {
                $0.append("min", lower)
                let end = BSONValue(type: .maxKey, bytes: [])
                $0.append("max", BSONDocument { $0.append("_id", end) })
            }
        }
        do {
            let reply = try await pool.withConnection { connection in
                try await connection.run(command, on: request.database, as: .primary)
            }
            return try reply.first("splitKeys")?.array()?.compactMap(\.document) ?? []
        } catch let error as MongoError where error.code == .namespaceNotFound {
            // Dropped or renamed: what becomes of that is decided when the last range is read.
            return []
        }
    }
}
