import ArchiveFormat
import Snapshots
import Testing

/// What made-up rates lead to.
@Suite struct TuneConclusionTests {
    private static let mega = 1e6

    private static func encoding(
        _ codec: Codec, _ level: Int, _ rate: Double, _ ratio: Double, chunk: Int = 4
    ) throws -> TuneMeasurements.Encoding {
        TuneMeasurements.Encoding(
            try Compression(codec, level: level), chunkByteCount: chunk << 20, width: 1,
            bytesPerSecond: rate * mega, ratio: ratio)
    }

    private static func reading(
        _ order: Backup.ReadOrder, _ count: Int, _ rate: Double, processor: Double = 0
    ) -> TuneMeasurements.Reading {
        TuneMeasurements.Reading(
            order, readerCount: count, bytesPerSecond: rate * mega,
            processorSecondsPerByte: processor)
    }

    /// A machine with two processors; rates in MB/s.
    private static func measurements(
        read: Double, disk: Double
    ) throws -> TuneMeasurements {
        TuneMeasurements(
            processorCount: 2,
            readings: [reading(.natural, 1, read), reading(.natural, 2, read)],
            encodings: [
                try encoding(.gzip, 1, 220, 0.31), try encoding(.gzip, 2, 200, 0.30),
                try encoding(.gzip, 6, 50, 0.25), try encoding(.zstd, 3, 300, 0.24),
                try encoding(.lz4, 1, 600, 0.45),
            ], diskBytesPerSecond: disk * mega)
    }

    private static func conclude(
        _ measurements: TuneMeasurements, mayLeaveGzip: Bool = false
    ) -> TuneConclusion {
        TuneConclusion(measurements, mayLeaveGzip: mayLeaveGzip)
    }

    @Test func theDefaultsStayWhereNothingIsClearlyBetter() throws {
        let conclusion = Self.conclude(try Self.measurements(read: 1000, disk: 1000))
        #expect(conclusion.limitingStage == .compress)
        #expect(conclusion.bytesPerSecond.rounded() == 400 * Self.mega)
        #expect(conclusion.compression == .standard)
        #expect(conclusion.chunkByteCount == ArchiveLimits.chunkTargetByteCountDefault)
        #expect(conclusion.jobCount == 2 && conclusion.readerCount == 2)
        #expect(conclusion.readOrder == .natural)
        #expect(conclusion.writerCount == 2 && conclusion.batchDocumentCount == 1000)
    }

    @Test func aSlowServerLeavesTimeToCompressMore() throws {
        let conclusion = Self.conclude(try Self.measurements(read: 60, disk: 1000))
        #expect(conclusion.limitingStage == .read)
        #expect(try conclusion.compression == Compression(.gzip, level: 6))
    }

    @Test func aSlowDiskIsSparedToo() throws {
        let conclusion = Self.conclude(try Self.measurements(read: 1000, disk: 20))
        #expect(conclusion.limitingStage == .disk)
        #expect(try conclusion.compression == Compression(.gzip, level: 6))
    }

    @Test func gzipIsLeftOnlyWhenAsked() throws {
        let measurements = try Self.measurements(read: 1000, disk: 1000)
        #expect(Self.conclude(measurements).compression.codec == .gzip)
        let free = Self.conclude(measurements, mayLeaveGzip: true)
        #expect(try free.compression == Compression(.zstd, level: 3))
    }

    @Test func aFasterLevelThatIsMuchLargerIsNotTaken() throws {
        var measurements = try Self.measurements(read: 1000, disk: 1000)
        measurements.encodings[0] = try Self.encoding(.gzip, 1, 400, 0.32)
        #expect(try Self.conclude(measurements).compression == Compression(.gzip, level: 1))
        measurements.encodings[0] = try Self.encoding(.gzip, 1, 400, 0.36)
        #expect(Self.conclude(measurements).compression == .standard)
    }

    @Test func readingTakesItsShareOfTheProcessors() throws {
        var measurements = try Self.measurements(read: 1000, disk: 1000)
        measurements.readings = [Self.reading(.natural, 2, 1000, processor: 1 / (200 * Self.mega))]
        #expect(Self.conclude(measurements).bytesPerSecond.rounded() == 200 * Self.mega)
    }

    @Test func theFewestReadersThatAreAsFastAsAnyAreTaken() throws {
        var measurements = try Self.measurements(read: 100, disk: 1000)
        measurements.readings += [Self.reading(.id, 2, 108)]
        #expect(Self.conclude(measurements).readOrder == .natural)
        measurements.readings += [Self.reading(.id, 4, 300), Self.reading(.id, 8, 320)]
        let conclusion = Self.conclude(measurements)
        #expect(conclusion.readOrder == .id && conclusion.readerCount == 4)
    }

    @Test func anotherChunkSizeMustBeClearlyBetter() throws {
        var measurements = try Self.measurements(read: 1000, disk: 1000)
        measurements.chunkSizes = [
            try Self.encoding(.gzip, 2, 405, 0.31, chunk: 1),
            try Self.encoding(.gzip, 2, 400, 0.30),
            try Self.encoding(.gzip, 2, 395, 0.29, chunk: 16),
        ]
        #expect(Self.conclude(measurements).chunkByteCount == 4 << 20)
        measurements.chunkSizes[2] = try Self.encoding(.gzip, 2, 390, 0.26, chunk: 16)
        #expect(Self.conclude(measurements).chunkByteCount == 16 << 20)
    }

    @Test func moreWritersMustBeWorthIt() throws {
        var measurements = try Self.measurements(read: 1000, disk: 1000)
        measurements.insertions = [(1, 60.0), (2, 100), (4, 105)].map {
            TuneMeasurements.Insertion(
                writerCount: $0.0, batchDocumentCount: 1000, bytesPerSecond: $0.1 * Self.mega)
        }
        #expect(Self.conclude(measurements).writerCount == 2)
        measurements.insertions[2].bytesPerSecond = 180 * Self.mega
        #expect(Self.conclude(measurements).writerCount == 4)
    }
}
