internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// The snapshots of a repository.
struct ListSummary {
    let entries: [SnapshotCatalog.Entry]
    let repository: RepositoryOptions.Repository

    /// For people and for machines.
    var result: JobResult {
        JobResult(
            text: text,
            json: .array(entries.map { JSONValue($0, path: repository.path(ofKey: $0.key)) }))
    }

    private var text: String {
        guard !entries.isEmpty else {
            return "no snapshots in \(Formatting.visible(repository.folder))"
        }
        var table = TextTable([
            .text("snapshot"), .text("taken"), .number("documents"), .number("size"),
            .number("stored"), .number("namespaces"), .text("consistency"), .text("note"),
        ])
        for entry in entries {
            let stored = Formatting.bytes(entry.storedByteCount)
            switch entry.manifest {
            case .success(let manifest):
                table.add([
                    entry.id.description,
                    CalendarDate(milliseconds: manifest.startedAt).description,
                    Formatting.count(manifest.documentCount),
                    Formatting.bytes(manifest.documentByteCount), stored,
                    String(manifest.namespaces.count), manifest.consistency.name,
                    [
                        manifest.description,
                        manifest.id == entry.id.description
                            ? nil : "renamed: it is \(manifest.id)",
                        LossText(manifest)?.sentence,
                    ].compactMap(\.self).joined(separator: "; "),
                ])
            case .failure(let error):
                table.add([
                    entry.id.description, "", "", "", stored, "", "", "DAMAGED: \(error)",
                ])
            }
        }
        return table.lines.joined(separator: "\n")
    }
}
