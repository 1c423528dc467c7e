internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import ObjectStorage

/// Makes a new, valid archive of what is whole in a damaged one, and says what is gone. Chunks are
/// taken over as they are stored; of an archive of mongodump the documents are read as far as they
/// go.
public struct Salvage: Sendable {
    /// How to write.
    public struct Options: Sendable {
        /// How many chunks are checked at once.
        public var width: Int
        /// Where chunks of a foreign archive wait for their namespace's turn.
        public var temporaryFolder: String

        public init(width: Int, temporaryFolder: String) {
            self.width = width
            self.temporaryFolder = temporaryFolder
        }
    }

    /// The kind in the new snapshot's identifier.
    static let kind = SnapshotID.salvagedKind

    let location: ArchiveLocation
    let destination: ArchiveDestination
    let options: Options
    let environment: JobEnvironment
    let observer: any JobObserver

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

    /// Runs the salvage. When it throws, nothing is left behind.
    ///
    /// - Throws: `ArchiveError` with `notAnArchive` when nothing at all can be made of it;
    ///   `ObjectStorageError`, `CancellationError`.
    public func run() async throws -> SalvageReport {
        let clock = ContinuousClock()
        let start = clock.now
        let id = SnapshotID(
            milliseconds: environment.now(), kind: Self.kind, random: environment.random())
        var report = try await salvaged(id)
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    private func salvaged(_ id: SnapshotID) async throws -> SalvageReport {
        guard let source = try await location.source(),
            try await !ArchiveSalvager.isForeign(source)
        else { return try await foreign(id) }
        var progress = JobProgress(phase: .verifying, byteCountTotal: source.byteCount)
        let findings = try await ArchiveSalvager.inspect(source, width: options.width) {
            progress.byteCount += UInt64($0)
            progress.documentCount += $1.documentCount
            observer.progressed(progress)
        }
        return findings.isEmpty ? try await foreign(id) : try await own(id, source, findings)
    }

    /// Takes over the chunks of an archive of Cairn's.
    private func own(
        _ id: SnapshotID, _ source: ObjectSource, _ findings: ArchiveSalvager.Findings
    ) async throws -> SalvageReport {
        let plan = try SalvagePlan(findings)
        let (summary, place) = try await destination.withArchive(
            id, plan.compression.codec, observer
        ) { upload in
            var writer = try ArchiveWriter(
                to: UploadSink(upload: upload), prelude: plan.prelude,
                options: ArchiveWriter.Options(
                    compression: plan.compression, width: options.width,
                    chunkTargetByteCount: plan.chunkTargetByteCount))
            var pieces = SalvagePieces(plan, source)
            try await writer.write(pieces: { try await pieces.next() })
            return try await writer.finish(
                plan.manifest(id, now: environment.now()), consistencies: plan.consistencies)
        }
        return SalvageReport(
            manifest: summary.index.manifest, place: place,
            storedByteCount: summary.storedByteCount, seal: summary.seal, seconds: 0,
            chunkCount: plan.kept.count, losses: plan.losses, hasCatalog: plan.hasCatalog,
            ending: SalvagePlan.ending(findings))
    }
}
