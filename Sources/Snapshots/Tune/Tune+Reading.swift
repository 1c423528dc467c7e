internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Documents of a user's own, on which codecs and inserts are measured.
struct TuneSample: Sendable {
    /// Whole documents, one after another.
    var bytes: [UInt8] = []
    var documentCount = 0
    /// How many of the bytes are documents of one collection, whose `_id`s are unique.
    var uniqueByteCount = 0

    /// The most bytes that are taken.
    static let byteCountMax = 40 * 1024 * 1024

    var isFull: Bool { bytes.count >= Self.byteCountMax }
}

/// The stage before all others.
extension Tune {
    /// The most collections that are read, the largest ones.
    private static let streamCountMax = 16
    /// The most collections that are asked for their size: one command each.
    private static let candidateCountMax = 1000
    /// The most bytes that one measurement reads.
    private static let readByteCountMax = 2 << 30

    /// The largest collections of the selection, the largest one first.
    func largestStreams() async throws -> [BackupPlan.Stream] {
        observer.progressed(JobProgress(phase: .measuring, subject: "looking for collections"))
        let catalog = try await SourceCatalog.read(pool, filter: options.filter, .snapshot)
        let plan = BackupPlan(catalog)
        let candidates = plan.streams.filter { $0.request != nil && $0.kind == .data }
        let sizes = try await pool.withConnection { connection in
            var sizes: [(stream: BackupPlan.Stream, byteCount: Int)] = []
            for stream in candidates.prefix(Self.candidateCountMax) {
                let namespace = stream.descriptor.dataNamespace
                let statistics = try await connection.statistics(
                    of: namespace.collection, in: namespace.database)
                sizes.append((stream, statistics.byteCount))
            }
            return sizes
        }
        return sizes.filter { $0.byteCount > 0 }.sorted { $0.byteCount > $1.byteCount }
            .prefix(Self.streamCountMax).map(\.stream)
    }

    /// Takes documents in the order that they are stored in. What is read here the server has at
    /// hand afterwards, so that no measurement pays for being the first.
    func takeSample(of streams: [BackupPlan.Stream]) async throws -> TuneSample {
        let stopwatch = try begin("taking a sample")
        var sample = TuneSample()
        // Growing by itself, it would take twice as much.
        sample.bytes.reserveCapacity(TuneSample.byteCountMax + 8 * 1024 * 1024)
        try await read(streams, .natural, readerCount: 2) { piece in
            let isFirst = piece.chunk.namespaceOrdinal == streams.first?.ordinal
            for segment in piece.chunk.segments {
                sample.bytes += piece.chunk.bytes[segment.documents]
                sample.documentCount += segment.documentCount
            }
            if isFirst { sample.uniqueByteCount = sample.bytes.count }
            return !sample.isFull && !stopwatch.isOver
        }
        guard sample.documentCount > 0 else {
            throw SnapshotError(
                .notFound,
                "there are no documents to measure with; fill the server first, or check --db and "
                    + "--ns-include")
        }
        return sample
    }

    /// Reads in both orders with one reader, two and, where there are processors for it, four.
    func measureReading(
        _ streams: [BackupPlan.Stream]
    ) async throws -> [TuneMeasurements.Reading] {
        var readings: [TuneMeasurements.Reading] = []
        let canBeSplit = streams.contains(where: \.canBeSplit)
        for order in Backup.ReadOrder.allCases where order == .natural || canBeSplit {
            for count in options.processorCount > 2 ? [1, 2, 4] : [1, 2] {
                readings.append(try await measureReading(streams, order, readerCount: count))
            }
        }
        return readings
    }

    private func measureReading(
        _ streams: [BackupPlan.Stream], _ order: Backup.ReadOrder, readerCount: Int
    ) async throws -> TuneMeasurements.Reading {
        let stopwatch = try begin("reading, \(order.rawValue) order, \(readerCount) at once")
        let busyBefore = options.processorSeconds()
        var byteCount = 0
        // What came within the last moments is counted with its own time.
        var seconds = 0.0
        while !stopwatch.isOver, byteCount < Self.readByteCountMax {
            try await read(streams, order, readerCount: readerCount) { piece in
                byteCount += piece.chunk.segments.reduce(0) { $0 + $1.documents.count }
                return !stopwatch.isOver && byteCount < Self.readByteCountMax
            }
            seconds = stopwatch.seconds
        }
        let busy = max(0, options.processorSeconds() - busyBefore)
        return TuneMeasurements.Reading(
            order, readerCount: readerCount, bytesPerSecond: Double(byteCount) / seconds,
            processorSecondsPerByte: busy / Double(max(1, byteCount)))
    }

    /// Reads as a backup does, until all is read or `take` answers that it has enough.
    private func read(
        _ streams: [BackupPlan.Stream], _ order: Backup.ReadOrder, readerCount: Int,
        _ take: (ArchivePiece) throws -> Bool
    ) async throws {
        var reading = Backup.Options(width: 1)
        reading.readerCount = readerCount
        reading.readOrder = order
        let reader = NamespaceReader(
            pool: pool, options: reading, observer: observer,
            endurance: Endurance(seconds: 0, observer: observer))
        do {
            try await reader.read(streams[...]) { piece in
                guard try take(piece) else { throw Enough() }
            }
        } catch is Enough {
            return
        }
    }

    private struct Enough: Error {}
}
