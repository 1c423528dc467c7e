internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What a restore does to a server: documents are inserted over several connections.
extension Tune {
    private static let batchDocumentCounts = [1000, 5000]
    private static let sliceByteCount = 4 * 1024 * 1024

    /// Inserts the sample again and again into a staging collection, which is dropped after each
    /// run; should this process be killed, the next restore to the server drops it.
    func measureInsertion(
        _ sample: TuneSample, into database: String
    ) async throws -> [TuneMeasurements.Insertion] {
        let slices = try Self.slices(sample)
        let claim = StagingClaim()
        var insertions: [TuneMeasurements.Insertion] = []
        for writerCount in options.processorCount >= 4 ? [1, 2, 4, 8] : [1, 2, 4] {
            for batch in Self.batchDocumentCounts {
                let stopwatch = try begin(
                    "inserting, \(writerCount) at once, \(batch) documents each")
                let rate = try await withScratchCollection(claim.name, in: database) {
                    try await insert(
                        slices, into: Namespace(database, claim.name.description), stopwatch,
                        (writerCount, batch))
                }
                insertions.append(
                    TuneMeasurements.Insertion(
                        writerCount: writerCount, batchDocumentCount: batch, bytesPerSecond: rate))
            }
        }
        return insertions
    }

    private func insert(
        _ slices: [ArraySlice<UInt8>], into namespace: Namespace, _ stopwatch: Stopwatch,
        _ width: (writerCount: Int, batchDocumentCount: Int)
    ) async throws -> Double {
        var insertOptions = InsertOptions()
        insertOptions.isOrdered = false
        insertOptions.ownsCollection = true
        insertOptions.documentCountMax = width.batchDocumentCount
        let options = insertOptions
        let pool = pool
        var waiting = slices[...]
        var byteCount = 0
        try await withOrderedWindow(
            width: width.writerCount, next: { stopwatch.isOver ? nil : waiting.popFirst() },
            transform: { (slice: ArraySlice<UInt8>) async throws -> Int in
                let result = try await pool.withConnection { connection in
                    try await connection.insert(
                        slice, into: namespace.collection, on: namespace.database,
                        options: options)
                }
                if let error = result.errors.first {
                    throw SnapshotError(
                        .refused,
                        "the server refused documents of the sample in the database "
                            + "\(namespace.database): \(error)")
                }
                return slice.count
            },
            deliver: { byteCount += $0 })
        return Double(byteCount) / stopwatch.seconds
    }

    /// Drops the collection however `body` ends. A database without collections is none.
    private func withScratchCollection<Result: Sendable>(
        _ name: StagingName, in database: String, _ body: () async throws -> Result
    ) async throws -> Result {
        let pool = pool
        let drop = { @Sendable () async throws in
            try await uncancelled {
                try await pool.withConnection { connection in
                    try await connection.dropCollection(name.description, in: database)
                }
            }
        }
        do {
            let result = try await body()
            try await drop()
            return result
        } catch {
            do { try await drop() } catch let failure {
                observer.noticed("\(database).\(name) could not be dropped: \(failure)")
            }
            throw error
        }
    }

    /// Documents of one collection, cut into what a writer gets at once.
    private static func slices(_ sample: TuneSample) throws -> [ArraySlice<UInt8>] {
        var slices: [ArraySlice<UInt8>] = []
        var start = 0
        var end = 0
        try sample.bytes[..<sample.uniqueByteCount].withUnsafeBytes { bytes in
            try BSONFraming.forEachDocument(in: bytes) { document in
                end += document.count
                if end - start >= sliceByteCount {
                    slices.append(sample.bytes[start..<end])
                    start = end
                }
            }
        }
        if start < end { slices.append(sample.bytes[start..<end]) }
        return slices
    }
}
