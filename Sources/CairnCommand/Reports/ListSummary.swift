internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// The snapshots of a repository.
struct ListSummary {
    let entries: [SnapshotCatalog.Overview]
    /// What is in the folder and is no snapshot.
    let ignored: [IgnoredEntry]
    let repository: RepositoryOptions.Repository

    /// For people and for machines.
    var result: JobResult {
        JobResult(
            text: ([table] + ignored.map(Self.line)).joined(separator: "\n"),
            // In front, for the last is the newest snapshot.
            json: .array(
                ignored.map { JSONValue($0, path: repository.path(ofKey: $0.name)) }
                    + entries.map { JSONValue($0, path: repository.path(ofKey: $0.key)) }))
    }

    private static func line(_ entry: IgnoredEntry) -> String {
        "ignored \(Formatting.visible(entry.name)): \(entry.reason)"
    }

    private var table: String {
        guard !entries.isEmpty else {
            return "no snapshots in \(Formatting.visible(repository.folder))"
        }
        var table = TextTable([
            .text("snapshot"), .text("taken"), .number("documents"), .number("size"),
            .number("stored"), .number("namespaces"), .text("consistency"), .text("verified"),
            .text("note"),
        ])
        for entry in entries {
            let stored = Formatting.bytes(entry.storedByteCount)
            guard let facts = entry.facts else {
                table.add([
                    entry.id.description, "", "", "", stored, "", "", "",
                    "DAMAGED: \(entry.error ?? "")",
                ])
                continue
            }
            table.add([
                entry.id.description, CalendarDate(milliseconds: facts.startedAt).description,
                Formatting.count(facts.documentCount), Formatting.bytes(facts.documentByteCount),
                stored, String(facts.namespaceCount), facts.consistency.name,
                Self.verified(entry), Self.note(entry, facts),
            ])
        }
        return table.lines.joined(separator: "\n")
    }

    private static func verified(_ entry: SnapshotCatalog.Overview) -> String {
        guard let verification = entry.verification else { return "" }
        let date = CalendarDate(milliseconds: verification.at).description
        return verification.outcome == .ok ? date : "DAMAGED \(date)"
    }

    private static func note(
        _ entry: SnapshotCatalog.Overview, _ facts: SnapshotCatalog.Facts
    ) -> String {
        [
            facts.description,
            facts.manifestID == entry.id.description ? nil : "renamed: it is \(facts.manifestID)",
            LossText(facts.loss)?.sentence,
            entry.verification?.error,
        ].compactMap(\.self).joined(separator: "; ")
    }
}
