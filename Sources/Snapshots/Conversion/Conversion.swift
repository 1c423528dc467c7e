internal import ArchiveEngine
public import ArchiveFormat
internal import ObjectStorage

/// Writes an archive anew as one of Cairn's, in one pass: seekable, with a checksum for each chunk.
/// Documents stay as they are, byte for byte, and in their order; what mongodump had mixed is put
/// one namespace after another.
public struct Conversion: Sendable {
    /// How to write.
    public struct Options: Sendable {
        public var compression = Compression.standard
        /// Raw bytes that chunks are cut at, within `ArchiveLimits`.
        public var chunkTargetByteCount = ArchiveLimits.chunkTargetByteCountDefault
        /// How many chunks are compressed at once.
        public var width: Int
        /// Where chunks wait for their namespace's turn: a folder with room for what is mixed.
        public var temporaryFolder: String

        public init(width: Int, temporaryFolder: String) {
            self.width = width
            self.temporaryFolder = temporaryFolder
        }
    }

    /// What was written.
    public struct Report: Sendable {
        public var manifest: Manifest
        /// Key in the repository, or path of the file; nil for a pipe.
        public var place: String?
        /// Bytes of the new archive.
        public var storedByteCount: UInt64
        public var seal: SHA256Digest
        public var seconds: Double
    }

    /// The kind in the new snapshot's identifier.
    static let kind = SnapshotID.indexedKind

    private let location: ArchiveLocation
    private let destination: ArchiveDestination
    private let options: Options
    private let environment: JobEnvironment
    private let observer: any JobObserver

    public init(
        _ location: ArchiveLocation, to destination: ArchiveDestination, options: Options,
        environment: JobEnvironment, observer: any JobObserver
    ) {
        self.location = location
        self.destination = destination
        self.options = options
        self.environment = environment
        self.observer = observer
    }

    /// Runs the conversion. When it throws, nothing is left behind.
    ///
    /// - Throws: `ArchiveError` for a damaged archive, `ObjectStorageError`, `CancellationError`.
    public func run() async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        let reader = try await location.open().reader
        for note in reader.notes { observer.noticed(note) }
        let id = SnapshotID(
            milliseconds: environment.now(), kind: Self.kind, random: environment.random())
        let rewriter = ArchiveRewriter(
            options: options, environment: environment, observer: observer, defects: nil)
        let (summary, place) = try await destination.withArchive(
            id, options.compression.codec, observer
        ) { upload in
            try await rewriter.write(reader, as: id, into: upload)
        }
        return Report(
            manifest: summary.index.manifest, place: place,
            storedByteCount: summary.storedByteCount, seal: summary.seal,
            seconds: start.duration(to: clock.now).inSeconds)
    }
}
