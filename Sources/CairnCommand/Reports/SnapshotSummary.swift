internal import ArchiveFormat
internal import Snapshots

/// What a command says that has made a snapshot.
struct SnapshotSummary {
    let manifest: Manifest
    let storedByteCount: UInt64
    let seal: SHA256Digest
    let seconds: Double
    /// Absolute path of the archive's file; nil for a pipe.
    let path: String?

    /// For people and for machines.
    var result: JobResult { JobResult(text: text, json: json) }

    private var text: String {
        let facts = [
            "\(Formatting.count(manifest.documentCount, "document")) in "
                + Formatting.count(UInt64(manifest.namespaces.count), "collection"),
            Formatting.ratio(manifest.documentByteCount, stored: storedByteCount),
            Formatting.duration(seconds),
            Formatting.rate(manifest.documentByteCount, seconds: seconds),
        ]
        let lines = [
            "snapshot \(manifest.id): \(facts.compactMap(\.self).joined(separator: ", "))",
            ConsistencyText(manifest).sentence,
            path.map { "file \(Formatting.visible($0))" },
        ]
        return lines.compactMap(\.self).joined(separator: "\n")
    }

    private var json: JSONValue {
        .object([
            "id": .string(manifest.id),
            "path": .optional(path),
            "documents": .count(manifest.documentCount),
            "bytes": .count(manifest.documentByteCount),
            "stored_bytes": .count(storedByteCount),
            "namespaces": .count(manifest.namespaces.count),
            "seconds": .decimal(seconds),
            "consistency": ConsistencyText(manifest).json,
            "codec": .string(manifest.compression.codec.name),
            "level": .count(manifest.compression.level),
            "sha256": .string(seal.description),
        ])
    }
}

extension Formatting {
    /// `171 MB → 78 MB (45.6 %)`.
    static func ratio(_ byteCount: UInt64, stored: UInt64) -> String {
        let percent = percent(stored, of: byteCount).map { " (\($0))" } ?? ""
        return "\(bytes(byteCount)) → \(bytes(stored))\(percent)"
    }
}
