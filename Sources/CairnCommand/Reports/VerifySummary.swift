internal import ArchiveEngine
internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// What a verification says when nothing was wrong.
struct VerifySummary {
    let report: SnapshotVerification.Report
    let archive: ArchiveOptions.Located

    /// For people and for machines.
    var result: JobResult {
        JobResult(text: text, json: JSONValue(report, path: archive.path))
    }

    private var text: String {
        let (manifest, seconds, report) = (report.manifest, report.seconds, report.checked)
        var things = CountedThings()
        for (descriptor, count) in report.documentCounts {
            things.add(descriptor.namespace, descriptor.type, count: count)
        }
        let facts = [
            "\(things.documents) in \(things.namespaces)",
            Formatting.count(UInt64(report.chunkCount), "chunk"),
            Formatting.ratio(report.documentByteCount, stored: report.storedByteCount),
            Formatting.duration(seconds),
            Formatting.rate(report.documentByteCount, seconds: seconds),
        ]
        let name = manifest.map { "snapshot \($0.id)" } ?? Formatting.visible(archive.name)
        var line = "\(name) is whole: \(facts.compactMap(\.self).joined(separator: ", "))"
        if let loss = LossText(manifest?.loss) {
            line += "\nof what it was made from something is missing: \(loss.sentence)"
        }
        guard !report.hasChunkChecksums else { return line }
        guard report.hasChecksums else {
            return line
                + "\nit is a dump without checksums: that its files are made of whole documents "
                + "was checked, which is all that can be"
        }
        return line
            + "\nit is no archive of cairn's and has no checksums of its chunks; the CRC-64 of "
            + "each collection was checked, which is all that it has"
    }
}
