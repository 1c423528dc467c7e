internal import ArchiveFormat
internal import BSONBytes
internal import SnapshotJSON
internal import Snapshots

/// What a salvage says when it is done.
struct SalvageSummary {
    let report: SalvageReport
    let archive: ArchiveOptions.Located
    /// Absolute path of the new archive's file; nil for a pipe.
    let path: String?

    private static let rangeCountShown = 5

    /// For people and for machines; `skipped` when something is gone.
    var result: JobResult {
        var result = JobResult(text: text, json: json)
        guard !report.isComplete else { return result }
        result.status = .skipped
        result.warning = "not everything that the archive held could be saved"
        return result
    }

    private var text: String {
        let manifest = report.manifest
        var things = CountedThings()
        things.add(manifest)
        var lines = [
            "saved \(things.documents) in \(things.namespaces) "
                + "from \(Formatting.visible(archive.name)), "
                + "\(Formatting.bytes(manifest.documentByteCount)), "
                + Formatting.duration(report.seconds),
            "snapshot \(manifest.id)",
        ]
        if let path { lines.append("file \(Formatting.visible(path))") }
        if report.losses.isEmpty {
            lines.append("nothing is known to be lost")
        } else {
            lines += report.losses.flatMap { self.lines($0) }
        }
        if !report.hasCatalog {
            lines.append("options and indexes of the collections are lost")
        }
        if let ending = report.ending { lines.append(ending) }
        return lines.joined(separator: "\n")
    }

    private func unit(of namespace: Namespace?) -> StoredUnit {
        let entry = report.manifest.namespaces.first { entry in
            [entry.descriptor.namespace, entry.descriptor.dataNamespace].contains(namespace)
        }
        let unit = entry.flatMap { StoredUnit($0.descriptor.namespace, $0.descriptor.type) }
        return unit ?? .document
    }

    private func lines(_ loss: SalvageReport.Loss) -> [String] {
        let name =
            loss.namespace.map { Formatting.visible($0.description) } ?? "unknown collections"
        var facts: [String] = []
        if loss.chunkCount > 0 { facts.append(Formatting.count(UInt64(loss.chunkCount), "chunk")) }
        if let count = loss.documentCount {
            facts.append(Formatting.count(count, unit(of: loss.namespace).rawValue))
        }
        if let remark = loss.remark { facts.append(remark) }
        var lines = ["lost of \(name): \(facts.joined(separator: ", "))"]
        for range in loss.ranges.prefix(Self.rangeCountShown) {
            lines.append(
                "  _id from \(Formatting.visible(range.lowerBound.description)) to "
                    + Formatting.visible(range.upperBound.description))
        }
        if loss.ranges.count > Self.rangeCountShown {
            lines.append("  and \(loss.ranges.count - Self.rangeCountShown) more ranges")
        }
        return lines
    }

    private var json: JSONValue {
        let manifest = report.manifest
        return .object([
            "id": .string(manifest.id),
            "path": .optional(path),
            "source": .string(archive.name),
            "documents": .count(manifest.documentCount),
            "bytes": .count(manifest.documentByteCount),
            "stored_bytes": .count(report.storedByteCount),
            "namespaces": .count(manifest.namespaces.count),
            "chunks": .count(report.chunkCount),
            "complete": .bool(report.isComplete),
            "catalog": .bool(report.hasCatalog),
            "ending": .optional(report.ending),
            "lost": .array(report.losses.map(Self.entry)),
            "seconds": .decimal(report.seconds),
            "sha256": .string(report.seal.description),
        ])
    }

    private static func entry(_ loss: SalvageReport.Loss) -> JSONValue {
        .object([
            "namespace": .optional(loss.namespace?.description),
            "chunks": .count(loss.chunkCount),
            "documents": loss.documentCount.map { .count($0) } ?? .null,
            "id_ranges": .array(
                loss.ranges.map { range in
                    .object([
                        "from": .string(range.lowerBound.description),
                        "to": .string(range.upperBound.description),
                    ])
                }),
            "remark": .optional(loss.remark),
        ])
    }
}
