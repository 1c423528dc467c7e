internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// What a command says that has made a snapshot.
struct SnapshotSummary {
    let manifest: Manifest
    let storedByteCount: UInt64
    let seconds: Double
    /// Absolute path of the archive's file; nil for a pipe.
    let path: String?
    private let json: JSONValue

    init(_ report: Backup.Report, path: String?) {
        manifest = report.manifest
        storedByteCount = report.storedByteCount
        seconds = report.seconds
        self.path = path
        json = JSONValue(report, path: path)
    }

    init(_ report: Conversion.Report, path: String?) {
        manifest = report.manifest
        storedByteCount = report.storedByteCount
        seconds = report.seconds
        self.path = path
        json = JSONValue(report, path: path)
    }

    /// For people and for machines.
    var result: JobResult { JobResult(text: text, json: json) }

    private var text: String {
        var things = CountedThings()
        things.add(manifest)
        let facts = [
            "\(things.documents) in \(things.namespaces)",
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
}

extension Formatting {
    /// `171 MB → 78 MB (45.6 %)`.
    static func ratio(_ byteCount: UInt64, stored: UInt64) -> String {
        let percent = percent(stored, of: byteCount).map { " (\($0))" } ?? ""
        return "\(bytes(byteCount)) → \(bytes(stored))\(percent)"
    }
}
