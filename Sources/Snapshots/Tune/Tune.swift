internal import ArchiveFormat
public import MongoDriver
public import ObjectStorage

/// Measures what a backup and a restore are made of, on a user's own server and repository: read →
/// compress → write, each alone and each for a bounded time; and concludes which options to use.
///
/// Reading is measured with the backup's own reader, whose chunks are thrown away, so what it says
/// is true of a backup. Nothing is left behind: the file on the repository's disk is an upload that
/// is not published, and the collection that documents are inserted into is a staging collection.
public struct Tune: Sendable {
    /// What to measure and how long.
    public struct Options: Sendable {
        /// Which collections are read.
        public var filter = NamespaceFilter()
        /// The longest that one measurement takes.
        public var secondsMax = 2.0
        /// Processors of this machine that chunks are compressed on.
        public var processorCount: Int
        /// Where documents may be inserted; nil for nowhere.
        public var scratchDatabase: String?
        /// Whether codecs other than gzip may be recommended.
        public var mayLeaveGzip = false
        /// Seconds that the processors of this machine have worked, all together, since some
        /// moment.
        public var processorSeconds: @Sendable () -> Double

        public init(processorCount: Int, processorSeconds: @escaping @Sendable () -> Double) {
            self.processorCount = processorCount
            self.processorSeconds = processorSeconds
        }
    }

    let pool: MongoPool
    let store: FileSystemStore
    let options: Options
    let observer: any JobObserver

    /// - Parameter pool: with more connections than there are readers or writers: 9.
    public init(
        _ pool: MongoPool, _ store: FileSystemStore, options: Options, observer: any JobObserver
    ) {
        self.pool = pool
        self.store = store
        self.options = options
        self.observer = observer
    }

    /// Measures and concludes.
    ///
    /// - Throws: `MongoError`, `ObjectStorageError`, `ArchiveError`, `CancellationError`;
    ///   `SnapshotError` with `notFound` when there are no documents to measure with.
    public func run() async throws -> TuneReport {
        let clock = ContinuousClock()
        let start = clock.now
        let streams = try await largestStreams()
        let sample = try await takeSample(of: streams)
        let readings = try await measureReading(streams)
        let encodings = try await measureCodecs(sample)
        var measurements = TuneMeasurements(
            processorCount: options.processorCount, readings: readings, encodings: encodings,
            diskBytesPerSecond: try await measureDisk())
        let compression = conclusion(measurements).compression
        measurements.chunkSizes = try await measureChunkSizes(sample, compression)
        if let database = options.scratchDatabase {
            measurements.insertions = try await measureInsertion(sample, into: database)
        }
        return TuneReport(
            measurements: measurements, conclusion: conclusion(measurements),
            sampleDocumentCount: sample.documentCount, sampleByteCount: sample.bytes.count,
            seconds: start.duration(to: clock.now).inSeconds)
    }

    private func conclusion(_ measurements: TuneMeasurements) -> TuneConclusion {
        TuneConclusion(measurements, mayLeaveGzip: options.mayLeaveGzip)
    }

    /// Says what is being measured, and answers when that must end.
    func begin(_ subject: String) throws -> Stopwatch {
        try Task.checkCancellation()
        observer.progressed(JobProgress(phase: .measuring, subject: subject))
        return Stopwatch(secondsMax: options.secondsMax)
    }
}

/// Measures one rate, for a bounded time.
struct Stopwatch: Sendable {
    private let start = ContinuousClock.now
    private let secondsMax: Double

    /// Starts.
    init(secondsMax: Double) {
        self.secondsMax = secondsMax
    }

    /// Since the start; never zero.
    var seconds: Double { max(start.duration(to: .now).inSeconds, 1e-9) }

    /// Whether it is time to end.
    var isOver: Bool { seconds >= secondsMax }
}
