internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection of a server, on its way through a comparison.
struct LiveDocuments: ComparedDocuments {
    let stored: StoredDocuments
    /// As the server keeps count of them.
    let documentCount: UInt64
    let hasCollation: Bool

    /// - Parameters:
    ///   - moment: read as of this cluster time; nil reads what is there.
    ///   - hasCollation: whether the collection has one.
    init(
        _ namespace: Namespace, _ pool: MongoPool, at moment: BSONTimestamp?,
        hasCollation: Bool = false
    ) async throws {
        self.hasCollation = hasCollation
        stored = StoredDocuments(namespace: namespace, pool: pool, moment: moment)
        documentCount = try await pool.withConnection { connection in
            let statistics = try await connection.statistics(
                of: namespace.collection, in: namespace.database)
            return UInt64(clamping: statistics.documentCount)
        }
    }

    func counterparts(of ids: [BSONValue]) async throws -> [BSONValue] {
        try await stored.identifiers(equalTo: ids)
    }

    func scan(
        part: Int, of count: Int, width: Int, _ take: (ComparedContent) async throws -> Void
    ) async throws {
        try await stored.withCursor { cursor in
            var waiting = try await cursor.nextBatch()
            while let batch = waiting {
                let isLarge = batch.isLarge
                async let following = isLarge ? nil : cursor.nextBatch()
                var bytes: [UInt8] = []
                bytes.reserveCapacity(batch.byteCount)
                try batch.forEachDocument { bytes += $0 }
                try await take(
                    ComparedContent(
                        bytes, [0..<bytes.count], sequence: 0, part: part, of: count))
                waiting = try await following
                if isLarge { waiting = try await cursor.nextBatch() }
            }
        }
    }
}
