internal import ArchiveFormat
internal import BSONBytes
internal import SnapshotJSON
internal import Snapshots

/// What a restore would do, as a preview tells it.
struct PreviewSummary {
    let report: LiveComparison.Report

    /// For people and for machines.
    var result: JobResult {
        get throws { JobResult(text: try text, json: try JSONValue(preview: report)) }
    }

    /// Sums over all namespaces.
    private func sum(_ count: (NamespaceDifference) -> UInt64) -> UInt64 {
        report.entries.reduce(0) { $0 + count($1.difference) }
    }

    private var text: String {
        get throws {
            let count = Formatting.count(UInt64(report.entries.count), "collection")
            var lines = [
                "preview of snapshot \(report.manifest.id) into \(count), nothing written, "
                    + Formatting.duration(report.seconds),
                Self.counts(
                    insert: sum(\.onlyInFirstCount), overwrite: sum(\.differingCount),
                    equal: sum(\.equalCount), onlyLive: sum(\.onlyInSecondCount))
                    + " (replace deletes what is only live, merge keeps it)",
                report.moment.map {
                    "the server as of cluster time \($0.seconds).\($0.increment)"
                } ?? "the server was read as it came, not at one instant",
            ]
            for entry in report.entries where !entry.difference.isEqual {
                lines += try Self.lines(entry)
            }
            return lines.joined(separator: "\n")
        }
    }

    private static func counts(
        insert: UInt64, overwrite: UInt64, equal: UInt64, onlyLive: UInt64
    ) -> String {
        "\(Formatting.count(insert)) to insert, \(Formatting.count(overwrite)) to overwrite, "
            + "\(Formatting.count(equal)) equal already, \(Formatting.count(onlyLive)) only live"
    }

    private static func lines(_ entry: LiveComparison.Report.Entry) throws -> [String] {
        let difference = entry.difference
        var name = Formatting.visible(entry.target.description)
        if entry.source != entry.target {
            name += " (from \(Formatting.visible(entry.source.description)))"
        }
        var lines = [
            "\(name): "
                + counts(
                    insert: difference.onlyInFirstCount, overwrite: difference.differingCount,
                    equal: difference.equalCount, onlyLive: difference.onlyInSecondCount)
        ]
        if !difference.isInSecond { lines.append("  is not there yet") }
        if difference.isInSecond {
            lines += try DifferenceText.definitions(difference) { "\($1) becomes \($0)" }
        }
        for id in difference.onlyInFirst {
            lines.append("  to insert: \(try DifferenceText.spelt(id))")
        }
        for pair in difference.differing {
            lines += try DifferenceText.lines("to overwrite", pair) { "\($1) becomes \($0)" }
        }
        for id in difference.onlyInSecond {
            lines.append("  only live: \(try DifferenceText.spelt(id))")
        }
        return lines
    }
}
