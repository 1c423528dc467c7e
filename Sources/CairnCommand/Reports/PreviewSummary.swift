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

    private var text: String {
        get throws {
            var things = CountedThings()
            for entry in report.entries { things.add(entry.target, entry.type, count: 0) }
            var lines = [
                "preview of snapshot \(report.manifest.id) into \(things.namespaces), nothing "
                    + "written, " + Formatting.duration(report.seconds)
            ]
            lines += totals
            lines.append(
                report.moment.map {
                    "the server as of cluster time \($0.seconds).\($0.increment)"
                } ?? "the server was read as it came, not at one instant")
            lines += report.refusals.map(Self.line) + report.notes.map { "note: \($0)" }
            for entry in report.entries where !entry.difference.isEqual {
                lines += try Self.lines(entry)
            }
            return lines.joined(separator: "\n")
        }
    }

    private static func line(_ foretold: ForetoldRefusal) -> String {
        let ways = foretold.ways.map { way in
            switch way {
            case .replace: "replace"
            case .keepOld: "replace --keep-old"
            case .inPlace: "replace --in-place"
            case .merge: "merge"
            }
        }
        let isAll = foretold.ways.count == RestoreWay.allCases.count
        let which = isAll ? "" : " (\(ways.joined(separator: ", ")))"
        return "would be refused\(which): \(Formatting.visible(foretold.refusal.message))"
    }

    /// A line for each kind of thing: documents, buckets, users and roles are not added up.
    private var totals: [String] {
        let lines = StoredUnit.allCases.compactMap { unit -> String? in
            let entries = report.entries.filter { $0.difference.unit == unit }
            guard !entries.isEmpty else { return nil }
            func sum(_ count: (NamespaceDifference) -> UInt64) -> UInt64 {
                entries.reduce(0) { $0 + count($1.difference) }
            }
            let counts = Self.counts(
                insert: sum(\.onlyInFirstCount), overwrite: sum(\.differingCount),
                equal: sum(\.equalCount), onlyLive: sum(\.onlyInSecondCount))
            return "\(unit.noun): \(counts)"
        }
        return lines + ["(replace deletes what is only live, merge keeps it)"]
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
        guard let unit = difference.unit else {
            let what = difference.isInSecond ? "a view to change" : "a view to create"
            let definitions = try DifferenceText.definitions(difference) { "\($1) becomes \($0)" }
            return ["\(name): \(what)"] + (difference.isInSecond ? definitions : [])
        }
        let counts = counts(
            insert: difference.onlyInFirstCount, overwrite: difference.differingCount,
            equal: difference.equalCount, onlyLive: difference.onlyInSecondCount)
        var lines = ["\(name): \(unit == .document ? "" : "\(unit.noun), ")\(counts)"]
        if !difference.isInSecond { lines.append("  is not there yet") }
        if difference.isInSecond {
            lines += try DifferenceText.definitions(difference) { "\($1) becomes \($0)" }
        }
        for conflict in difference.uniqueConflicts {
            let ids = try conflict.ids.map { try DifferenceText.spelt($0) }
            lines.append(
                "  a merge would be refused "
                    + Formatting.count(conflict.documentCount, "document")
                    + " by the unique index \(Formatting.visible(conflict.index)): "
                    + ids.joined(separator: ", "))
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
