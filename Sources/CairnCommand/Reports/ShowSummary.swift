internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
internal import SnapshotJSON
internal import Snapshots

/// What an archive is and what is in it.
struct ShowSummary {
    let archive: ArchiveOptions.Located
    let description: ArchiveDescription

    /// For people and for machines.
    var result: JobResult {
        JobResult(text: text, json: JSONValue(description, path: archive.path))
    }

    private var text: String {
        (head + [""] + table).joined(separator: "\n")
    }

    private var head: [String] {
        var things = CountedThings()
        for entry in description.entries {
            let descriptor = entry.descriptor
            things.add(descriptor.namespace, descriptor.type, count: entry.totals.documentCount)
        }
        let size =
            "\(things.documents) in \(things.namespaces), "
            + Formatting.ratio(description.byteCount, stored: description.storedByteCount)
        var rows: [(String, String)] = []
        if let manifest = description.manifest {
            let source = manifest.source
            let place = source.hosts.isEmpty ? "" : "\(source.hosts.joined(separator: ",")), "
            let alone = source.hosts.isEmpty ? "" : ", standalone"
            let set = source.replicaSet.map { ", replica set \($0)" } ?? alone
            rows = [
                ("snapshot", manifest.id),
                ("taken", Self.period(manifest)),
            ]
            if let description = manifest.description {
                rows.append(("description", description))
            }
            rows += [
                ("source", "\(place)MongoDB \(source.serverVersion)\(set)"),
                ("consistency", ConsistencyText(manifest).sentence.dropping("consistency ")),
                ("selection", Self.selection(manifest.selection)),
                ("size", size),
            ]
            if let loss = LossText(manifest.loss) { rows.append(("loss", loss.sentence)) }
            rows += [
                (
                    "written by",
                    "\(manifest.tool), \(manifest.compression.codec.name) level "
                        + "\(manifest.compression.level)"
                )
            ]
        } else {
            rows = [
                ("archive", "of mongodump \(description.prelude.toolVersion)"),
                ("source", "MongoDB \(description.prelude.serverVersion)"),
                ("size", size),
            ]
        }
        rows.append(("file", archive.path ?? archive.name))
        if let seal = description.seal { rows.append(("sha256", seal.description)) }
        return rows.map { name, value in
            let space = String(repeating: " ", count: 13 - name.count)
            return "\(name)\(space)\(Formatting.visible(value))"
        }
    }

    private var table: [String] {
        var table = TextTable([
            .text("namespace"), .text("type"), .number("documents"), .number("bytes"),
            .number("indexes"), .text("note"),
        ])
        for entry in description.entries {
            let descriptor = entry.descriptor
            let isView = descriptor.type == .view
            table.add([
                descriptor.namespace.description, descriptor.type.word,
                isView ? "-" : Formatting.count(entry.totals.documentCount),
                isView ? "-" : Formatting.bytes(entry.totals.byteCount),
                isView || descriptor.isOplog ? "-" : String(descriptor.indexes.count),
                Self.note(entry),
            ])
        }
        return table.lines
    }

    private static func note(_ entry: Manifest.NamespaceEntry) -> String {
        let isBuckets = entry.descriptor.dataCollection != entry.descriptor.namespace.collection
        let notes = [
            isBuckets ? "documents are buckets" : nil,
            entry.descriptor.isOplog ? "documents are changes, replayed by a restore" : nil,
            entry.consistency == Manifest.Consistency.none ? "not at the cluster time" : nil,
        ]
        return notes.compactMap(\.self).joined(separator: "; ")
    }

    private static func period(_ manifest: Manifest) -> String {
        let start = CalendarDate(milliseconds: manifest.startedAt)
        let milliseconds = max(0, manifest.finishedAt - manifest.startedAt)
        return "\(start), in \(Formatting.duration(Double(milliseconds) / 1000))"
    }

    private static func selection(_ selection: Manifest.Selection) -> String {
        let parts =
            [selection.database.map { "--db \($0)" }].compactMap(\.self)
            + selection.namespacesIncluded.map { "--ns-include \($0)" }
            + selection.namespacesExcluded.map { "--ns-exclude \($0)" }
        return parts.isEmpty ? "everything" : parts.joined(separator: " ")
    }
}

extension String {
    /// The text without that beginning.
    fileprivate func dropping(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
