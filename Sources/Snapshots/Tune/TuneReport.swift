public import ArchiveFormat

/// What was measured on a server and a repository; rates are bytes of documents a second, but for
/// the disk's, which are bytes of the file.
public struct TuneMeasurements: Sendable {
    /// How fast documents came when nobody did anything with them.
    public struct Reading: Hashable, Sendable {
        public var order: Backup.ReadOrder
        public var readerCount: Int
        public var bytesPerSecond: Double
        /// Processor time of this machine for each byte, that of a server on it included.
        public var processorSecondsPerByte: Double

        public init(
            _ order: Backup.ReadOrder, readerCount: Int, bytesPerSecond: Double,
            processorSecondsPerByte: Double = 0
        ) {
            self.order = order
            self.readerCount = readerCount
            self.bytesPerSecond = bytesPerSecond
            self.processorSecondsPerByte = processorSecondsPerByte
        }
    }

    /// What a codec made of a sample of the documents.
    public struct Encoding: Hashable, Sendable {
        public var compression: Compression
        public var chunkByteCount: Int
        /// How many chunks were compressed at once.
        public var width: Int
        public var bytesPerSecond: Double
        /// Stored bytes for each byte of documents.
        public var ratio: Double

        public init(
            _ compression: Compression, chunkByteCount: Int, width: Int, bytesPerSecond: Double,
            ratio: Double
        ) {
            self.compression = compression
            self.chunkByteCount = chunkByteCount
            self.width = width
            self.bytesPerSecond = bytesPerSecond
            self.ratio = ratio
        }
    }

    /// How fast a server took documents.
    public struct Insertion: Hashable, Sendable {
        public var writerCount: Int
        public var batchDocumentCount: Int
        public var bytesPerSecond: Double

        public init(writerCount: Int, batchDocumentCount: Int, bytesPerSecond: Double) {
            self.writerCount = writerCount
            self.batchDocumentCount = batchDocumentCount
            self.bytesPerSecond = bytesPerSecond
        }
    }

    /// Of this machine, 8 at most.
    public var processorCount: Int
    /// Never empty, and the default among them.
    public var readings: [Reading]
    /// One chunk at a time, at the default chunk size.
    public var encodings: [Encoding]
    /// The recommended codec with all processors, by chunk size.
    public var chunkSizes: [Encoding] = []
    /// Written and synced.
    public var diskBytesPerSecond: Double
    /// Empty unless it was allowed to write to the server.
    public var insertions: [Insertion] = []

    public init(
        processorCount: Int, readings: [Reading], encodings: [Encoding],
        diskBytesPerSecond: Double
    ) {
        self.processorCount = processorCount
        self.readings = readings
        self.encodings = encodings
        self.diskBytesPerSecond = diskBytesPerSecond
    }
}

/// What tuning came to.
public struct TuneReport: Sendable {
    public var measurements: TuneMeasurements
    public var conclusion: TuneConclusion
    /// The documents that codecs were measured on.
    public var sampleDocumentCount: Int
    /// Their bytes.
    public var sampleByteCount: Int
    public var seconds: Double
}
