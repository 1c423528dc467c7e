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
        let facts = [
            "\(verb) \(source): \(Formatting.count(outcome.documentCount, "document")) in "
                + Formatting.count(UInt64(report.entries.count), "collection"),
            Formatting.bytes(outcome.byteCount),
            report.replayedCount.map { "\(Formatting.count($0, "change")) replayed" },
            Formatting.duration(report.seconds),
            Formatting.rate(outcome.byteCount, seconds: report.seconds),
        ]
        let line = facts.compactMap(\.self).joined(separator: ", ")
        var lines = [line]
        if options.mode == .merge || options.isInPlace { lines.append(counts(outcome)) }
        if let keptUntil = report.keptUntil, let job = options.keepOld?.job {
            lines.append(KeptSummary.undoHint(job, until: keptUntil))
        }
        return lines.joined(separator: "\n")
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
