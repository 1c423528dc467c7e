internal import ArchiveEngine
internal import ArchiveFormat
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
    public init(_ overview: SnapshotCatalog.Overview, path: String?) {
        let head = [
            Member("id", .string(overview.id.description)),
            Member("path", .optional(path)),
        ]
        let tail = [
            Member("last_verified", overview.verification.map { JSONValue($0) } ?? .null),
            Member("damaged", .bool(overview.isDamaged)),
            Member("error", .optional(overview.error ?? overview.verification?.error)),
        ]
        let stored = Member("stored_bytes", .count(overview.storedByteCount))
        guard let facts = overview.facts else {
            self = .object(head + [stored] + tail)
            return
        }
        self = .object(head + Self.counts(facts, stored) + Self.members(facts) + tail)
    }

    /// Something in a repository's folder that is no snapshot, as a listing has it.
    public init(_ entry: IgnoredEntry, path: String) {
        self = .object([
            "id": .null, "path": .string(path), "ignored": .string(entry.reason),
        ])
    }

    private static func counts(
        _ facts: SnapshotCatalog.Facts, _ stored: Member
    ) -> [Member] {
        [
            Member("documents", .count(facts.documentCount)),
            Member("bytes", .count(facts.documentByteCount)),
            stored,
            Member("namespaces", .count(facts.namespaceCount)),
            Member("seconds", .decimal(facts.seconds)),
        ]
    }

    private static func members(_ facts: SnapshotCatalog.Facts) -> [Member] {
        [
            Member("created", .date(facts.startedAt)),
            Member("finished", .date(facts.finishedAt)),
            Member("consistency", JSONValue(facts.consistency)),
            Member("codec", .string(facts.compression.codec.name)),
            Member("level", .count(facts.compression.level)),
            Member("sha256", .string(facts.seal.description)),
            Member("description", .optional(facts.description)),
            Member("loss", JSONValue(facts.loss)),
        ]
    }

    /// The last deep check of a snapshot.
    public init(_ verification: Verification) {
        self = .object([
            "at": .date(verification.at),
            "outcome": .string(verification.outcome.rawValue),
            "seconds": .decimal(verification.seconds),
            "error": .optional(verification.error),
        ])
    }

    /// A verification that found nothing wrong.
    public init(_ report: SnapshotVerification.Report, path: String?) {
        let checked = report.checked
        self = .object([
            "id": .optional(report.manifest?.id),
            "loss": JSONValue(report.manifest?.loss),
            "path": .optional(path),
            "documents": .count(checked.documentCount),
            "bytes": .count(checked.documentByteCount),
            "stored_bytes": .count(checked.storedByteCount),
            "namespaces": .count(checked.namespaceCount),
            "chunks": .count(checked.chunkCount),
            "chunk_checksums": .bool(checked.hasChunkChecksums),
            "seconds": .decimal(report.seconds),
        ])
    }
}
