public import ArchiveFormat

/// What measurements mean: which stage limits a backup, and which options to use. A pure function.
///
/// The defaults are recommended unless something else is clearly better. Two rates that differ by
/// less than a tenth are the same: that much they differ from run to run. A codec or level
///
/// 1. is *smaller* when it takes 5 % less than the default and the backup is not a tenth slower;
///    the smallest of those is taken;
/// 2. else is *faster* when the backup is a quarter faster and the archive at most a tenth larger;
///    the fastest of those is taken;
/// 3. else the default stays.
///
/// Other writers or batches are recommended when they insert half as fast again.
public struct TuneConclusion: Hashable, Sendable {
    /// A part of a backup that may hold up all others.
    public enum Stage: String, Sendable, CaseIterable {
        /// The server and the way from it.
        case read
        /// The processors of this machine.
        case compress
        /// The disk of the repository.
        case disk
    }

    /// Which one a backup waits for.
    public var limitingStage: Stage
    /// What each stage could do alone, bytes of documents a second.
    public var rates: [Stage: Double]
    public var compression: Compression
    public var chunkByteCount: Int
    public var jobCount: Int
    public var readerCount: Int
    public var readOrder: Backup.ReadOrder
    public var writerCount: Int
    public var batchDocumentCount: Int

    /// What a backup can reach at most, bytes of documents a second.
    public var bytesPerSecond: Double { rates[limitingStage] ?? 0 }

    private static let sameRate = 1.1
    private static let fasterRate = 1.25
    /// Inserts are measured in bursts into an empty collection, which flatter many writers: where
    /// a burst was a third faster, the whole restore was not faster at all.
    private static let fasterInsertion = 1.5
    private static let smallerRatio = 0.95
    private static let largerRatio = 1.1

    /// - Parameter mayLeaveGzip: whether another codec may be recommended, whose archives
    ///   mongorestore does not read directly.
    public init(_ measurements: TuneMeasurements, mayLeaveGzip: Bool) {
        let reading = Self.reading(measurements.readings)
        let encoding = Self.encoding(measurements, reading, mayLeaveGzip: mayLeaveGzip)
        let rates = Self.rates(measurements, reading, encoding)
        self.rates = rates
        let ordered = Stage.allCases.map { ($0, rates[$0] ?? 0) }
        limitingStage = ordered.min { $0.1 < $1.1 }?.0 ?? .read
        compression = encoding.compression
        chunkByteCount = Self.chunkByteCount(measurements.chunkSizes)
        jobCount = measurements.processorCount
        readerCount = reading.readerCount
        readOrder = reading.order
        let insertion = Self.insertion(
            measurements.insertions, standardWriterCount: max(2, measurements.processorCount))
        writerCount = insertion.writerCount
        batchDocumentCount = insertion.batchDocumentCount
    }

    /// The least demanding one that is as fast as any, if that is clearly faster than the default.
    private static func reading(
        _ readings: [TuneMeasurements.Reading]
    ) -> TuneMeasurements.Reading {
        let standard =
            readings.first { $0.order == .natural && $0.readerCount == 2 }
            ?? readings.first
            ?? TuneMeasurements.Reading(.natural, readerCount: 2, bytesPerSecond: 0)
        let best = readings.map(\.bytesPerSecond).max() ?? 0
        guard best > standard.bytesPerSecond * fasterInsertion else { return standard }
        return readings.filter { $0.bytesPerSecond * sameRate >= best }
            .min { $0.readerCount < $1.readerCount } ?? standard
    }

    private static func encoding(
        _ measurements: TuneMeasurements, _ reading: TuneMeasurements.Reading, mayLeaveGzip: Bool
    ) -> TuneMeasurements.Encoding {
        func rate(_ encoding: TuneMeasurements.Encoding) -> Double {
            rates(measurements, reading, encoding).values.min() ?? 0
        }
        let standard =
            measurements.encodings.first { $0.compression == .standard }
            ?? TuneMeasurements.Encoding(
                .standard, chunkByteCount: ArchiveLimits.chunkTargetByteCountDefault, width: 1,
                bytesPerSecond: 0, ratio: 1)
        let allowed = measurements.encodings.filter {
            mayLeaveGzip || $0.compression.codec == .gzip
        }
        let smaller = allowed.filter {
            $0.ratio < standard.ratio * smallerRatio && rate($0) * sameRate >= rate(standard)
        }
        if let smallest = smaller.min(by: { $0.ratio < $1.ratio }) { return smallest }
        let faster = allowed.filter {
            rate($0) > rate(standard) * fasterRate && $0.ratio <= standard.ratio * largerRatio
        }
        return faster.max { rate($0) < rate($1) } ?? standard
    }

    /// Compressing has the processors for itself but for the time that reading takes of them.
    private static func rates(
        _ measurements: TuneMeasurements, _ reading: TuneMeasurements.Reading,
        _ encoding: TuneMeasurements.Encoding
    ) -> [Stage: Double] {
        let secondsPerByte =
            1 / max(1, encoding.bytesPerSecond) + reading.processorSecondsPerByte
        return [
            .read: reading.bytesPerSecond,
            .compress: Double(measurements.processorCount) / secondsPerByte,
            .disk: measurements.diskBytesPerSecond / max(encoding.ratio, 0.001),
        ]
    }

    /// The default, or one that is clearly faster, or clearly smaller at the same rate.
    private static func chunkByteCount(_ encodings: [TuneMeasurements.Encoding]) -> Int {
        let size = ArchiveLimits.chunkTargetByteCountDefault
        guard let standard = encodings.first(where: { $0.chunkByteCount == size }) else {
            return size
        }
        let better = encodings.filter { encoding in
            let isFaster = encoding.bytesPerSecond > standard.bytesPerSecond * sameRate
            let isSlower = encoding.bytesPerSecond * sameRate < standard.bytesPerSecond
            return isFaster && encoding.ratio <= standard.ratio / smallerRatio
                || !isSlower && encoding.ratio < standard.ratio * smallerRatio
        }
        return better.max { $0.bytesPerSecond < $1.bytesPerSecond }?.chunkByteCount ?? size
    }

    private static func insertion(
        _ insertions: [TuneMeasurements.Insertion], standardWriterCount: Int
    ) -> TuneMeasurements.Insertion {
        let standard =
            insertions.first {
                $0.writerCount == standardWriterCount && $0.batchDocumentCount == 1000
            }
            ?? TuneMeasurements.Insertion(
                writerCount: standardWriterCount, batchDocumentCount: 1000, bytesPerSecond: 0)
        let best = insertions.map(\.bytesPerSecond).max() ?? 0
        guard best > standard.bytesPerSecond * fasterInsertion else { return standard }
        // Of those that are the same, the default number of writers rather than another.
        let good = insertions.filter { $0.bytesPerSecond * sameRate >= best }
        let same = good.filter { $0.writerCount == standardWriterCount }
        return (same.isEmpty ? good : same)
            .min {
                ($0.writerCount, $0.batchDocumentCount) < ($1.writerCount, $1.batchDocumentCount)
            }
            ?? standard
    }
}
