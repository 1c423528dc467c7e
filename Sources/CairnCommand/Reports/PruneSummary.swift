internal import SnapshotJSON
internal import Snapshots

/// What a retention says.
struct PruneSummary {
    let report: Retention.Report

    /// For people and for machines; `skipped` when something could not be removed.
    var result: JobResult {
        var result = JobResult(text: text, json: JSONValue(report))
        if !report.failures.isEmpty {
            result.status = .skipped
            result.warning =
                "\(Formatting.count(UInt64(report.failures.count), "snapshot")) could not be "
                + "removed"
        }
        return result
    }

    private var text: String {
        guard !report.decisions.isEmpty else { return "there are no snapshots" }
        let failures = Dictionary(
            report.failures.map { ($0.id, $0.message) }, uniquingKeysWith: { first, _ in first })
        var table = TextTable([
            .text("snapshot"), .text("what"), .number("stored"), .text("why"),
        ])
        for decision in report.decisions {
            let failure = failures[decision.id]
            let verb = report.isDryRun ? "would go" : "removed"
            table.add([
                decision.id.description,
                decision.action == .keep ? "stays" : failure == nil ? verb : "FAILED",
                Formatting.bytes(decision.overview.storedByteCount),
                failure ?? decision.reasons.map(\.sentence).joined(separator: "; "),
            ])
        }
        let count = Formatting.count(UInt64(report.removed.count), "snapshot")
        let freed = Formatting.bytes(report.freedByteCount)
        let end =
            report.isDryRun
            ? "would remove \(count), \(freed); nothing was removed" : "removed \(count), \(freed)"
        return (table.lines + ["", end]).joined(separator: "\n")
    }
}
