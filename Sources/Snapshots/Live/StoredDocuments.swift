internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What a server really holds, read back from the primary.
struct StoredDocuments {
    /// Documents of one call of `forEachBatch`.
    private static let batchDocumentCount = 1000
    /// Bytes of a reply: several collections are read by two cursors each at once.
    private static let batchByteCount = 1024 * 1024

    let namespace: Namespace
    let pool: MongoPool
    /// The cluster time as of which they are read; nil reads what is there.
    var moment: BSONTimestamp?

    /// Number and fingerprint of documents.
    struct Totals: Hashable, Sendable {
        var documentCount: UInt64 = 0
        var fingerprint = DocumentFingerprint()

        mutating func add(_ document: UnsafeRawBufferPointer) {
            documentCount += 1
            fingerprint.add(document)
        }

        /// Compares with what an archive held.
        ///
        /// - Throws: `notEqual`.
        func check(against expected: DocumentTotals, of source: Namespace) throws {
            guard documentCount == expected.documentCount else {
                throw SnapshotError(
                    .notEqual,
                    "\(source) was loaded with \(documentCount) instead of "
                        + "\(expected.documentCount) documents; the live collection was left as it "
                        + "was")
            }
            guard fingerprint == expected.fingerprint else {
                throw SnapshotError(
                    .notEqual,
                    "documents of \(source) are not byte for byte those of the archive after "
                        + "loading; the live collection was left as it was")
            }
        }
    }

    /// Count and fingerprint of the collection as it is now. Cost: one scan.
    func totals() async throws -> Totals {
        try await withCursor { cursor in
            var totals = Totals()
            var waiting = try await cursor.nextBatch()
            while let batch = waiting {
                let isLarge = batch.isLarge
                async let following = isLarge ? nil : cursor.nextBatch()
                try batch.forEachDocument { totals.add($0) }
                waiting = try await following
                if isLarge { waiting = try await cursor.nextBatch() }
            }
            return totals
        }
    }

    /// Calls `body` with documents, a batch at a time, while the collection is scanned.
    func forEachBatch(_ body: ([ArraySlice<UInt8>]) async throws -> Void) async throws {
        try await withCursor { cursor in
            while let batch = try await cursor.nextBatch() {
                var documents: [ArraySlice<UInt8>] = []
                try batch.forEachDocument { documents.append(Array($0)[...]) }
                for start in stride(from: 0, to: documents.count, by: Self.batchDocumentCount) {
                    let end = min(documents.count, start + Self.batchDocumentCount)
                    try await body(Array(documents[start..<end]))
                }
            }
        }
    }

    /// Compares with what an archive held.
    ///
    /// - Throws: `notEqual`.
    func check(against expected: DocumentTotals, of source: Namespace) async throws {
        try await totals(expecting: expected).check(against: expected, of: source)
    }

    /// The same, faster where the collection is large and nobody writes to it.
    ///
    /// - Parameter expected: what it should hold.
    func totals(expecting expected: DocumentTotals) async throws -> Totals {
        if expected.byteCount >= Self.bothEndsByteCountMin,
            let found = try await totalsFromBothEnds(expecting: expected.documentCount)
        {
            return found
        }
        return try await totals()
    }

    /// `_id`s of documents that are equal to some of these as the server takes it, a thousand to a
    /// query.
    func identifiers(equalTo ids: [BSONValue]) async throws -> [BSONValue] {
        var found: [BSONValue] = []
        for some in ids.runs(countMax: Self.batchDocumentCount, byteCountMax: Self.idByteCountMax) {
            let command = BSONDocument {
                $0.append("find", namespace.collection)
                let among = BSONDocument { $0.append("$in", array: some) }
                $0.append("filter", BSONDocument { $0.append("_id", among) })
                $0.append("projection", BSONDocument { $0.append("_id", Int32(1)) })
                if let concern { $0.append("readConcern", concern) }
            }
            found += try await pool.withConnection { connection in
                try await connection.withCursor(
                    command, on: namespace.database, as: .primary
                ) { cursor in
                    var ids: [BSONValue] = []
                    while let batch = try await cursor.nextBatch() {
                        for document in try batch.documents() {
                            ids.append(try document.identifier)
                        }
                    }
                    return ids
                }
            }
        }
        return found
    }

    /// Bytes of the `_id`s of one query.
    private static let idByteCountMax = 4 * 1024 * 1024

    private var concern: BSONDocument? {
        moment.map { moment in
            BSONDocument {
                $0.append("level", "snapshot")
                $0.append("atClusterTime", moment)
            }
        }
    }

    /// - Parameter direction: 1 in natural order, -1 against it.
    func withCursor<Result>(
        direction: Int32 = 1, _ body: (MongoCursor) async throws -> Result
    ) async throws -> Result {
        let command = BSONDocument {
            $0.append("find", namespace.collection)
            $0.append("hint", BSONDocument { $0.append("$natural", direction) })
            $0.append("batchSize", FindRequest.firstBatchDocumentCount)
            if let concern { $0.append("readConcern", concern) }
        }
        return try await pool.withConnection { connection in
            try await connection.withCursor(
                command, on: namespace.database, as: .primary,
                batchByteCount: Self.batchByteCount, body)
        }
    }
}

extension [BSONValue] {
    /// Neighbouring values, as many as fit; a single one may have more bytes.
    func runs(countMax: Int, byteCountMax: Int) -> [[BSONValue]] {
        var runs: [[BSONValue]] = []
        var byteCount = 0
        for value in self {
            byteCount += value.bytes.count
            if let last = runs.last, last.count < countMax, byteCount <= byteCountMax {
                runs[runs.count - 1].append(value)
            } else {
                runs.append([value])
                byteCount = value.bytes.count
            }
        }
        return runs
    }
}
