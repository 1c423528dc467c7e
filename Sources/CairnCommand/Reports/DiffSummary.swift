internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
internal import Snapshots

/// What a comparison says.
struct DiffSummary {
    let report: Comparison.Report

    /// For people and for machines; `different` when anything differs.
    var result: JobResult {
        get throws {
            var result = JobResult(text: try text, json: try json)
            if !report.isEqual { result.status = .different }
            return result
        }
    }

    private var text: String {
        get throws {
            let differing = report.namespaces.filter { !$0.isEqual }
            let names = "\(report.first.id) and \(report.second.id)"
            let time = Formatting.duration(report.seconds)
            guard !differing.isEmpty else {
                return "\(names) are equal: "
                    + Formatting.count(UInt64(report.namespaces.count), "collection")
                    + ", \(time)"
            }
            var lines = [
                "\(names) differ in "
                    + Formatting.count(UInt64(differing.count), "collection")
                    + " of \(report.namespaces.count), \(time)"
            ]
            for difference in differing { lines += try Self.lines(difference) }
            return lines.joined(separator: "\n")
        }
    }

    private static func lines(_ difference: NamespaceDifference) throws -> [String] {
        let name = Formatting.visible(difference.namespace.description)
        guard difference.isInFirst, difference.isInSecond else {
            let count = difference.onlyInFirstCount + difference.onlyInSecondCount
            let place = difference.isInFirst ? "first" : "second"
            return ["\(name): only in the \(place), \(Formatting.count(count, "document"))"]
        }
        var lines = [
            "\(name): \(Formatting.count(difference.onlyInFirstCount)) only in the first, "
                + "\(Formatting.count(difference.onlyInSecondCount)) only in the second, "
                + "\(Formatting.count(difference.differingCount)) differ, "
                + "\(Formatting.count(difference.equalCount)) equal"
        ]
        if difference.optionsDiffer { lines.append("  options differ") }
        for index in difference.indexes {
            lines.append("  index \(Formatting.visible(index)) differs")
        }
        for id in difference.onlyInFirst { lines.append("  only in the first: \(try spelt(id))") }
        for id in difference.onlyInSecond { lines.append("  only in the second: \(try spelt(id))") }
        for pair in difference.differing {
            lines.append("  differs: \(try spelt(pair.id))")
            for field in pair.fields {
                let path = field.path.isEmpty ? "order of fields" : Formatting.visible(field.path)
                lines.append(
                    "    \(path): \(try spelt(field.first)) → \(try spelt(field.second))")
            }
        }
        return lines
    }

    private static let spelledCountMax = 80

    /// A value on one line, cut where it is long.
    private static func spelt(_ value: BSONValue?) throws -> String {
        guard let value else { return "missing" }
        let text = Formatting.visible(try ExtendedJSONWriter(mode: .relaxed).text(of: value))
        return text.count <= spelledCountMax ? text : text.prefix(spelledCountMax - 1) + "…"
    }

    private var json: JSONValue {
        get throws {
            .object([
                "first": .string(report.first.id),
                "second": .string(report.second.id),
                "equal": .bool(report.isEqual),
                "seconds": .decimal(report.seconds),
                "collections": .array(try report.namespaces.map(Self.entry)),
            ])
        }
    }

    private static func entry(_ difference: NamespaceDifference) throws -> JSONValue {
        .object([
            "collection": .string(difference.namespace.description),
            "in_first": .bool(difference.isInFirst),
            "in_second": .bool(difference.isInSecond),
            "only_in_first": .count(difference.onlyInFirstCount),
            "only_in_second": .count(difference.onlyInSecondCount),
            "differing": .count(difference.differingCount),
            "equal": .count(difference.equalCount),
            "options_differ": .bool(difference.optionsDiffer),
            "indexes_differing": .array(difference.indexes.map { .string($0) }),
            "chunks_read": .count(difference.decodedChunkCount),
            "samples": .object([
                "only_in_first": .array(try difference.onlyInFirst.map(exact)),
                "only_in_second": .array(try difference.onlyInSecond.map(exact)),
                "differing": .array(try difference.differing.map(pair)),
            ]),
        ])
    }

    private static func pair(_ pair: NamespaceDifference.Differing) throws -> JSONValue {
        .object([
            "_id": try exact(pair.id),
            "fields": .array(
                try pair.fields.map { field in
                    .object([
                        "path": .string(field.path),
                        "first": try field.first.map(exact) ?? .null,
                        "second": try field.second.map(exact) ?? .null,
                    ])
                }),
        ])
    }

    private static func exact(_ value: BSONValue) throws -> JSONValue {
        .verbatim(try ExtendedJSONWriter().text(of: value))
    }
}
