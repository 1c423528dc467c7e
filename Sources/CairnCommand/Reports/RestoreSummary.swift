internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// What a restore says when it is done.
struct RestoreSummary {
    let report: RestoreReport
    let options: Restore.Options
    let archive: ArchiveOptions.Located

    /// For people and for machines; `skipped` when the server refused documents.
    var result: JobResult {
        var result = JobResult(
            text: text, json: JSONValue(report, options, path: archive.path))
        let outcome = report.outcome
        if outcome.failedCount > 0 {
            result.status = .skipped
            result.warning =
                "the server refused \(Formatting.count(outcome.failedCount, "document"))"
                + (outcome.firstFailure.map { "; the first because: \($0)" } ?? "")
        }
        return result
    }

    private var source: String {
        report.manifest.map { "snapshot \($0.id)" } ?? Formatting.visible(archive.name)
    }

    private var text: String {
        let outcome = report.outcome
        let verb = options.mode == .replace ? "restored" : "merged"
        var things = CountedThings()
        for entry in report.entries {
            things.add(
                entry.target, entry.type, count: entry.outcome.documentCount,
                measurements: entry.outcome.measurementCount)
        }
        let facts = [
            "\(verb) \(source): \(things.documents) in \(things.namespaces)",
            Formatting.bytes(outcome.byteCount),
            report.replayedCount.map { "\(Formatting.count($0, "change")) replayed" },
            Formatting.duration(report.seconds),
            Formatting.rate(outcome.byteCount, seconds: report.seconds),
        ]
        let line = facts.compactMap(\.self).joined(separator: ", ")
        var lines = [line]
        lines += changes
        if let views = Self.text(outcome.views) { lines.append(views) }
        if let keptUntil = report.keptUntil, let job = options.keepOld?.job {
            lines.append(KeptSummary.undoHint(job, until: keptUntil))
        }
        return lines.joined(separator: "\n")
    }

    /// A line for each kind of thing: documents, buckets, users and roles are not added up. Of
    /// documents nothing when they were swapped in as a whole.
    private var changes: [String] {
        let isSwap = options.mode == .replace && !options.isInPlace
        return StoredUnit.allCases.filter { !isSwap || $0 != .document }.compactMap { unit in
            let entries = report.entries.filter { $0.unit == unit }
            guard !entries.isEmpty else { return nil }
            let outcome = entries.reduce(into: LoadOutcome()) { $0.add($1.outcome) }
            return "\(unit.noun): \(counts(outcome))"
        }
    }

    private static func text(_ views: LoadOutcome.ViewCounts) -> String? {
        let parts = [
            (views.createdCount, "created"), (views.changedCount, "changed"),
            (views.keptCount, "kept"), (views.equalCount, "equal already"),
        ].filter { $0.0 > 0 }.map { "\(Formatting.count($0.0)) \($0.1)" }
        return parts.isEmpty ? nil : "views: \(parts.joined(separator: ", "))"
    }

    private func counts(_ outcome: LoadOutcome) -> String {
        guard options.mode == .merge else {
            return "\(Formatting.count(outcome.insertedCount)) inserted, "
                + "\(Formatting.count(outcome.overwrittenCount)) overwritten, "
                + "\(Formatting.count(outcome.deletedCount)) deleted, "
                + "\(Formatting.count(outcome.equalCount)) equal already"
        }
        return "\(Formatting.count(outcome.insertedCount)) inserted, "
            + "\(Formatting.count(outcome.overwrittenCount)) overwritten, "
            + "\(Formatting.count(outcome.keptCount)) kept, "
            + "\(Formatting.count(outcome.equalCount)) equal already, "
            + "\(Formatting.count(outcome.failedCount)) refused"
    }
}
