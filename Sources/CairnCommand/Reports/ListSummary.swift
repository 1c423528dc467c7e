internal import ArchiveFormat
internal import Snapshots

/// The snapshots of a repository.
struct ListSummary {
    let entries: [SnapshotCatalog.Entry]
    let repository: RepositoryOptions.Repository

    /// For people and for machines.
    var result: JobResult { JobResult(text: text, json: .array(entries.map(json))) }

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

    private func json(_ entry: SnapshotCatalog.Entry) -> JSONValue {
        let path = JSONValue.string(repository.path(ofKey: entry.key))
        switch entry.manifest {
        case .success(let manifest):
            return .object([
                "id": .string(entry.id.description),
                "path": path,
                "documents": .count(manifest.documentCount),
                "bytes": .count(manifest.documentByteCount),
                "stored_bytes": .count(entry.storedByteCount),
                "namespaces": .count(manifest.namespaces.count),
                "seconds": .decimal(
                    Double(max(0, manifest.finishedAt - manifest.startedAt)) / 1000),
                "created": .date(manifest.startedAt),
                "finished": .date(manifest.finishedAt),
                "consistency": ConsistencyText(manifest).json,
                "codec": .string(manifest.compression.codec.name),
                "loss": LossText.json(manifest),
                "damaged": .bool(false),
                "error": .null,
            ])
        case .failure(let error):
            return .object([
                "id": .string(entry.id.description),
                "path": path,
                "stored_bytes": .count(entry.storedByteCount),
                "damaged": .bool(true),
                "error": .string("\(error)"),
            ])
        }
    }
}
