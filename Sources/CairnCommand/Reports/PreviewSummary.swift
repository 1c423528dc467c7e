internal import ArchiveFormat
internal import BSONBytes
internal import Snapshots

/// What a restore would do, as a preview tells it.
struct PreviewSummary {
    let report: LiveComparison.Report

    /// For people and for machines.
    var result: JobResult {
        get throws { JobResult(text: try text, json: try json) }
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

    private var json: JSONValue {
        get throws {
            .object([
                "id": .string(report.manifest.id),
                "mode": .string("preview"),
                "cluster_time": .optional(
                    report.moment.map { "\($0.seconds).\($0.increment)" }),
                "to_insert": .count(sum(\.onlyInFirstCount)),
                "to_overwrite": .count(sum(\.differingCount)),
                "equal": .count(sum(\.equalCount)),
                "only_live": .count(sum(\.onlyInSecondCount)),
                "seconds": .decimal(report.seconds),
                "collections": .array(try report.entries.map(Self.entry)),
            ])
        }
    }

    private static func entry(_ entry: LiveComparison.Report.Entry) throws -> JSONValue {
        let difference = entry.difference
        return .object([
            "source": .string(entry.source.description),
            "target": .string(entry.target.description),
            "type": .string(entry.type.word),
            "is_live": .bool(difference.isInSecond),
            "to_insert": .count(difference.onlyInFirstCount),
            "to_overwrite": .count(difference.differingCount),
            "equal": .count(difference.equalCount),
            "only_live": .count(difference.onlyInSecondCount),
            "options_differing": try DifferenceJSON.fields(
                difference.options, "snapshot", "live"),
            "indexes_differing": try DifferenceJSON.indexes(difference, "snapshot", "live"),
            "samples": .object([
                "to_insert": try DifferenceJSON.ids(difference.onlyInFirst),
                "to_overwrite": try DifferenceJSON.pairs(difference, "snapshot", "live"),
                "only_live": try DifferenceJSON.ids(difference.onlyInSecond),
            ]),
        ])
    }
}
