public import ArchiveEngine
public import ArchiveFormat
public import Snapshots

/// Snapshots that were made, listed and verified.
///
/// Paths are those of archives' files; nil where there is none, or it is nobody's business.
extension JSONValue {
    /// What a backup has made.
    public init(_ report: Backup.Report, path: String?) {
        self.init(
            made: report.manifest, storedByteCount: report.storedByteCount, seal: report.seal,
            seconds: report.seconds, path: path)
    }

    /// What became of an archive that was written anew.
    public init(_ report: Conversion.Report, path: String?) {
        self.init(
            made: report.manifest, storedByteCount: report.storedByteCount, seal: report.seal,
            seconds: report.seconds, path: path)
    }

    private init(
        made manifest: Manifest, storedByteCount: UInt64, seal: SHA256Digest, seconds: Double,
        path: String?
    ) {
        self = .object([
            "id": .string(manifest.id),
            "path": .optional(path),
            "documents": .count(manifest.documentCount),
            "bytes": .count(manifest.documentByteCount),
            "stored_bytes": .count(storedByteCount),
            "namespaces": .count(manifest.namespaces.count),
            "seconds": .decimal(seconds),
            "consistency": JSONValue(manifest.consistency),
            "codec": .string(manifest.compression.codec.name),
            "level": .count(manifest.compression.level),
            "description": .optional(manifest.description),
            "sha256": .string(seal.description),
        ])
    }

    /// A snapshot as a listing has it.
    public init(_ entry: SnapshotCatalog.Entry, path: String?) {
        switch entry.manifest {
        case .success(let manifest):
            self = .object([
                "id": .string(entry.id.description),
                "path": .optional(path),
                "documents": .count(manifest.documentCount),
                "bytes": .count(manifest.documentByteCount),
                "stored_bytes": .count(entry.storedByteCount),
                "namespaces": .count(manifest.namespaces.count),
                "seconds": .decimal(
                    Double(max(0, manifest.finishedAt - manifest.startedAt)) / 1000),
                "created": .date(manifest.startedAt),
                "finished": .date(manifest.finishedAt),
                "consistency": JSONValue(manifest.consistency),
                "codec": .string(manifest.compression.codec.name),
                "description": .optional(manifest.description),
                "loss": JSONValue(manifest.loss),
                "damaged": .bool(false),
                "error": .null,
            ])
        case .failure(let error):
            self = .object([
                "id": .string(entry.id.description),
                "path": .optional(path),
                "stored_bytes": .count(entry.storedByteCount),
                "damaged": .bool(true),
                "error": .string("\(error)"),
            ])
        }
    }

    /// A verification that found nothing wrong.
    ///
    /// - Parameter manifest: nil for archives of other tools.
    public init(
        _ report: ArchiveVerifier.Report, _ manifest: Manifest?, seconds: Double, path: String?
    ) {
        self = .object([
            "id": .optional(manifest?.id),
            "loss": JSONValue(manifest?.loss),
            "path": .optional(path),
            "documents": .count(report.documentCount),
            "bytes": .count(report.documentByteCount),
            "stored_bytes": .count(report.storedByteCount),
            "namespaces": .count(report.namespaceCount),
            "chunks": .count(report.chunkCount),
            "chunk_checksums": .bool(report.hasChunkChecksums),
            "seconds": .decimal(seconds),
        ])
    }
}
