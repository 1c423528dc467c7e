public import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
internal import ObjectStorage

/// Reads a whole archive and checks every hash, count, checksum and fingerprint. What came of it is
/// kept beside a snapshot of a repository, whether it was found whole or damaged.
public struct SnapshotVerification: Sendable {
    /// An archive that was found to be whole.
    public struct Report: Sendable {
        /// What was checked.
        public var checked: ArchiveVerifier.Report
        /// Nil for archives of other tools.
        public var manifest: Manifest?
        /// The hash that stands for the whole archive; nil where it is not known.
        public var seal: SHA256Digest?
        public var seconds: Double
    }

    private let location: ArchiveLocation
    private let width: Int
    private let environment: JobEnvironment
    private let observer: any JobObserver

    /// - Parameter width: chunks that are checked at once.
    public init(
        _ location: ArchiveLocation, width: Int, environment: JobEnvironment,
        observer: any JobObserver
    ) {
        self.location = location
        self.width = width
        self.environment = environment
        self.observer = observer
    }

    /// Checks the archive.
    ///
    /// - Throws: `ArchiveError` for what is not as it was written; `ObjectStorageError`,
    ///   `SnapshotError`, `CancellationError`.
    public func run() async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        let archive = try await location.open()
        let reader = archive.reader
        for note in reader.notes { observer.noticed(note) }
        let seal = archive.indexed?.seal
        do {
            let meter = VerificationMeter(reader, observer)
            let (rules, oplog) = (OplogRules(), NamespaceDescriptor.oplog.namespace)
            var survey = OplogSurvey()
            let checked = try await ArchiveVerifier.verify(
                reader, width: width, progress: meter.add
            ) { chunk in
                for block in chunk.blocks where block.header.namespace == oplog {
                    try survey.add(chunk.bytes[block.documents], rules)
                }
            }
            if let refusal = survey.refusal {
                observer.noticed("the archive is whole, but \(SnapshotError(refusal))")
            }
            let seconds = start.duration(to: clock.now).inSeconds
            try await record(seal, seconds: seconds, error: nil)
            return Report(
                checked: checked, manifest: reader.manifest, seal: seal, seconds: seconds)
        } catch let error as ArchiveError {
            let seconds = start.duration(to: clock.now).inSeconds
            try await record(seal, seconds: seconds, error: "\(error)")
            throw error
        }
    }

    /// That it can't be kept is no reason to fail, and in a repository that is only for reading it
    /// is no news.
    private func record(_ seal: SHA256Digest?, seconds: Double, error: String?) async throws {
        guard let seal, case .snapshot(let name, let catalog) = location else { return }
        do {
            try await catalog.record(
                Verification(at: environment.now(), seal: seal, seconds: seconds, error: error),
                for: catalog.id(for: name))
        } catch let failure as ObjectStorageError {
            guard failure.code != .notWritable else { return }
            observer.noticed("what came of the verification could not be kept: \(failure)")
        }
    }
}
