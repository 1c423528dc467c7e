internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// What an undo says when it is done.
struct UndoSummary {
    let undone: JobID
    let job: JobID
    let report: Undo.Report

    var result: JobResult { JobResult(text: text, json: json) }

    private var text: String {
        let count = Formatting.count(UInt64(report.entries.count), "collection")
        let lines = report.entries.map { entry in
            "  \(Formatting.visible(entry.namespace.description)) "
                + (entry.isBack ? "is back" : "is gone: there was none before")
        }
        return
            (["undid \(undone): \(count), \(Formatting.duration(report.seconds))"] + lines + [
                KeptSummary.undoHint(job, until: report.keptUntil)
            ]).joined(separator: "\n")
    }

    private var json: JSONValue {
        .object([
            "job": .string(job.description),
            "undone": .string(undone.description),
            "kept_until": .string(KeptSummary.time(report.keptUntil)),
            "seconds": .decimal(report.seconds),
            "collections": .array(
                report.entries.map { entry in
                    .object([
                        "collection": .string(entry.namespace.description),
                        "is_back": .bool(entry.isBack),
                    ])
                }),
        ])
    }
}

/// What is kept of restores.
struct KeptSummary {
    let entries: [KeptCollections.Entry]

    var result: JobResult { JobResult(text: text, json: json) }

    /// How a job can be undone.
    static func undoHint(_ job: JobID, until seconds: Int64) -> String {
        "to undo it until \(time(seconds)): cairn restore --undo \(job)"
    }

    /// A moment as people and machines read it.
    static func time(_ seconds: Int64) -> String {
        CalendarDate(milliseconds: seconds * 1000).description
    }

    private var text: String {
        guard !entries.isEmpty else { return "nothing is kept" }
        var table = TextTable(
            ["job", "collection", "kept until", "before"].map { .text($0) })
        for entry in entries {
            table.add([
                entry.job.description, entry.namespace.description, Self.time(entry.expiry),
                entry.wasAbsent ? "not there" : "there",
            ])
        }
        return table.lines.joined(separator: "\n")
    }

    private var json: JSONValue {
        .object([
            "kept": .array(
                entries.map { entry in
                    .object([
                        "job": .string(entry.job.description),
                        "collection": .string(entry.namespace.description),
                        "kept_as": .string(entry.keptName),
                        "kept_until": .string(Self.time(entry.expiry)),
                        "was_absent": .bool(entry.wasAbsent),
                    ])
                })
        ])
    }
}
