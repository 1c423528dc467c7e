public import ArchiveEngine
public import ArchiveFormat

/// Counts what was read and tells the observer. Used by one task.
public final class VerificationMeter {
    private var progress: JobProgress
    private let countsStoredBytes: Bool
    private let observer: any JobObserver

    /// - Parameter reader: an archive with a manifest says how many bytes its documents have; of
    ///   another only the file's size is known, so that one is measured by stored bytes.
    public init(_ reader: any ArchiveReader, _ observer: any JobObserver) {
        countsStoredBytes = reader.manifest == nil
        progress = JobProgress(
            phase: .verifying,
            byteCountTotal: reader.manifest?.documentByteCount ?? reader.storedByteCount)
        self.observer = observer
    }

    /// A chunk was checked.
    public func add(storedByteCount: Int, documents: DocumentTotals) {
        progress.documentCount += documents.documentCount
        progress.byteCount += countsStoredBytes ? UInt64(storedByteCount) : documents.byteCount
        observer.progressed(progress)
    }
}
