internal import ArchiveEngine
internal import ArchiveFormat
internal import ArgumentParser
internal import Snapshots

/// `cairn verify`.
struct VerifyCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read a whole archive and check every hash, count and checksum.",
        usage: "cairn verify (<id> | --archive <file>) [<options>]",
        discussion: """
            No server is needed. The exit code is 0 only when every byte is as it was written.

            Examples:
              cairn verify latest
              cairn verify --archive shop.archive.gz
            """)

    @OptionGroup var source: ArchiveOptions
    @OptionGroup var width: WidthOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let width = try width.resolved(try await config.load())
        let archive = try await source.locate()
        let clock = ContinuousClock()
        let start = clock.now
        return try await naming(archive.name) {
            let reader = try await archive.location.open()
            let meter = VerificationMeter(reader, observer)
            let report = try await ArchiveVerifier.verify(
                reader, width: width, progress: meter.add)
            return VerifySummary(
                report: report, manifest: reader.manifest, archive: archive,
                seconds: start.duration(to: clock.now) / .seconds(1)
            ).result
        }
    }
}

/// Counts what was read and tells the observer. Used by one task.
final class VerificationMeter {
    private var progress: JobProgress
    private let countsStoredBytes: Bool
    private let observer: any JobObserver

    /// - Parameter reader: an archive with a manifest says how many bytes its documents have; of
    ///   another only the file's size is known, so that one is measured by stored bytes.
    init(_ reader: any ArchiveReader, _ observer: any JobObserver) {
        countsStoredBytes = reader.manifest == nil
        progress = JobProgress(
            phase: .verifying,
            byteCountTotal: reader.manifest?.documentByteCount ?? reader.storedByteCount)
        self.observer = observer
    }

    /// A chunk was checked.
    func add(storedByteCount: Int, documents: DocumentTotals) {
        progress.documentCount += documents.documentCount
        progress.byteCount += countsStoredBytes ? UInt64(storedByteCount) : documents.byteCount
        observer.progressed(progress)
    }
}
