internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// What a comparison says.
struct DiffSummary {
    /// The snapshots' identifiers, or `live` for a server.
    let names: (first: String, second: String)
    let differences: [NamespaceDifference]
    let seconds: Double
    private let json: JSONValue

    init(_ report: Comparison.Report) throws {
        names = (report.first.id, report.second.id)
        differences = report.namespaces
        seconds = report.seconds
        json = try JSONValue(report)
    }

    init(_ report: LiveComparison.Report) throws {
        names = (report.manifest.id, "live")
        differences = report.entries.map(\.difference)
        seconds = report.seconds
        json = try JSONValue(difference: report)
    }

    private var isEqual: Bool { differences.allSatisfy(\.isEqual) }

    /// For people and for machines; `different` when anything differs.
    var result: JobResult {
        get throws {
            var result = JobResult(text: try text, json: json)
            if !isEqual { result.status = .different }
            return result
        }
    }

    private var text: String {
        get throws {
            let differing = differences.filter { !$0.isEqual }
            let names = "\(names.first) and \(names.second)"
            let time = Formatting.duration(seconds)
            guard !differing.isEmpty else {
                return "\(names) are equal: \(Self.things(differences).namespaces), \(time)"
            }
            var lines = [
                "\(names) differ in \(Self.things(differing).namespaces), of "
                    + "\(Self.things(differences).namespaces), \(time)"
            ]
            for difference in differing { lines += try Self.lines(difference) }
            return lines.joined(separator: "\n")
        }
    }

    private static func things(_ differences: [NamespaceDifference]) -> CountedThings {
        var things = CountedThings()
        for difference in differences {
            things.add(difference.namespace, difference.type, count: 0)
        }
        return things
    }

    private static func lines(_ difference: NamespaceDifference) throws -> [String] {
        let name = Formatting.visible(difference.namespace.description)
        guard difference.isInFirst, difference.isInSecond else {
            let count = difference.onlyInFirstCount + difference.onlyInSecondCount
            let place = difference.isInFirst ? "first" : "second"
            let what = difference.unit.map { Formatting.count(count, $0.rawValue) } ?? "a view"
            return ["\(name): only in the \(place), \(what)"]
        }
        guard let unit = difference.unit else {
            return try ["\(name): a view"]
                + DifferenceText.definitions(difference) { "\($0) → \($1)" }
        }
        var lines = [
            "\(name): \(unit == .document ? "" : "\(unit.noun), ")"
                + "\(Formatting.count(difference.onlyInFirstCount)) only in the first, "
                + "\(Formatting.count(difference.onlyInSecondCount)) only in the second, "
                + "\(Formatting.count(difference.differingCount)) differ, "
                + "\(Formatting.count(difference.equalCount)) equal"
        ]
        lines += try DifferenceText.definitions(difference) { "\($0) → \($1)" }
        for id in difference.onlyInFirst {
            lines.append("  only in the first: \(try DifferenceText.spelt(id))")
        }
        for id in difference.onlyInSecond {
            lines.append("  only in the second: \(try DifferenceText.spelt(id))")
        }
        for pair in difference.differing {
            lines += try DifferenceText.lines("differs", pair) { "\($0) → \($1)" }
        }
        return lines
    }
}
