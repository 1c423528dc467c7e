internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
internal import Snapshots

/// What an archive is and what is in it.
struct ShowSummary {
    let archive: ArchiveOptions.Located
    let prelude: ArchivePrelude
    /// Nil for archives of other tools.
    let manifest: Manifest?
    /// What was counted, in the prelude's order, where there is no manifest.
    let totals: [DocumentTotals]
    let storedByteCount: UInt64
    /// The hash that stands for the whole archive; nil where it is not known.
    let seal: SHA256Digest?
    let seconds: Double

    /// For people and for machines.
    var result: JobResult { JobResult(text: text, json: json) }

    private var entries: [Manifest.NamespaceEntry] {
        manifest?.namespaces
            ?? prelude.namespaces.enumerated().map { position, descriptor in
                var entry = Manifest.NamespaceEntry(descriptor)
                entry.totals = totals[position]
                return entry
            }
    }

    private var documentCount: UInt64 { entries.reduce(0) { $0 + $1.totals.documentCount } }
    private var byteCount: UInt64 { entries.reduce(0) { $0 + $1.totals.byteCount } }

    // MARK: For people

    private var text: String {
        (head + [""] + table).joined(separator: "\n")
    }

    private var head: [String] {
        let size =
            "\(Formatting.count(documentCount, "document")) in "
            + "\(Formatting.count(UInt64(entries.count), "collection")), "
            + Formatting.ratio(byteCount, stored: storedByteCount)
        var rows: [(String, String)] = []
        if let manifest {
            let source = manifest.source
            let place = source.hosts.isEmpty ? "" : "\(source.hosts.joined(separator: ",")), "
            let alone = source.hosts.isEmpty ? "" : ", standalone"
            let set = source.replicaSet.map { ", replica set \($0)" } ?? alone
            rows = [
                ("snapshot", manifest.id),
                ("taken", Self.period(manifest)),
                ("source", "\(place)MongoDB \(source.serverVersion)\(set)"),
                ("consistency", ConsistencyText(manifest).sentence.dropping("consistency ")),
                ("selection", Self.selection(manifest.selection)),
                ("size", size),
            ]
            if let loss = LossText(manifest) { rows.append(("loss", loss.sentence)) }
            rows += [
                (
                    "written by",
                    "\(manifest.tool), \(manifest.compression.codec.name) level "
                        + "\(manifest.compression.level)"
                )
            ]
        } else {
            rows = [
                ("archive", "of mongodump \(prelude.toolVersion)"),
                ("source", "MongoDB \(prelude.serverVersion)"),
                ("size", size),
            ]
        }
        rows.append(("file", archive.path ?? archive.name))
        if let seal { rows.append(("sha256", seal.description)) }
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
        for entry in entries {
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

    // MARK: For machines

    private var json: JSONValue {
        let common: [JSONValue.Member] = [
            JSONValue.Member("id", .optional(manifest?.id)),
            JSONValue.Member("path", .optional(archive.path)),
            JSONValue.Member("format", .string(manifest == nil ? "mongodump" : "cairn")),
            JSONValue.Member("tool", .string(manifest?.tool ?? prelude.toolVersion)),
            JSONValue.Member("documents", .count(documentCount)),
            JSONValue.Member("bytes", .count(byteCount)),
            JSONValue.Member("stored_bytes", .count(storedByteCount)),
            JSONValue.Member("namespaces", .count(entries.count)),
            JSONValue.Member("sha256", .optional(seal?.description)),
            JSONValue.Member("seconds", .decimal(seconds)),
        ]
        return .object(
            common + (manifest.map(Self.members) ?? [])
                + [JSONValue.Member("collections", .array(entries.map(Self.collection)))])
    }

    private static func members(_ manifest: Manifest) -> [JSONValue.Member] {
        let source = manifest.source
        let selection = manifest.selection
        return [
            JSONValue.Member("created", .date(manifest.startedAt)),
            JSONValue.Member("finished", .date(manifest.finishedAt)),
            JSONValue.Member("consistency", ConsistencyText(manifest).json),
            JSONValue.Member("loss", LossText.json(manifest)),
            JSONValue.Member("codec", .string(manifest.compression.codec.name)),
            JSONValue.Member("level", .count(manifest.compression.level)),
            JSONValue.Member("chunk_bytes", .count(manifest.chunkTargetByteCount)),
            JSONValue.Member(
                "source",
                .object([
                    "hosts": .array(source.hosts.map { .string($0) }),
                    "server_version": .string(source.serverVersion),
                    "replica_set": .optional(source.replicaSet),
                ])),
            JSONValue.Member(
                "selection",
                .object([
                    "db": .optional(selection.database),
                    "ns_include": .array(selection.namespacesIncluded.map { .string($0) }),
                    "ns_exclude": .array(selection.namespacesExcluded.map { .string($0) }),
                ])),
        ]
    }

    private static func collection(_ entry: Manifest.NamespaceEntry) -> JSONValue {
        let descriptor = entry.descriptor
        return .object([
            "db": .string(descriptor.namespace.database),
            "collection": .string(descriptor.namespace.collection),
            "type": .string(descriptor.type.word),
            "documents": .count(entry.totals.documentCount),
            "bytes": .count(entry.totals.byteCount),
            "crc64": .string(hexadecimal(entry.totals.crc64)),
            "fingerprint": .string(entry.totals.fingerprint.hexadecimal),
            "consistency": entry.consistency.map { .string($0.name) } ?? .null,
            "indexes": .array(descriptor.indexes.map(indexName)),
            "options": extendedJSON(descriptor.options),
        ])
    }

    /// Sixteen digits.
    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func indexName(_ index: BSONDocument) -> JSONValue {
        do {
            return .optional(try index.first("name")?.string)
        } catch {
            return .null
        }
    }

    /// Null for options that are not well-formed; a restore will say what is wrong with them.
    private static func extendedJSON(_ document: BSONDocument) -> JSONValue {
        do {
            return .verbatim(try ExtendedJSONWriter(mode: .relaxed).text(of: document))
        } catch {
            return .null
        }
    }
}

extension JSONValue {
    /// A moment in ISO 8601, UTC.
    ///
    /// - Parameter milliseconds: since 1970 UTC.
    static func date(_ milliseconds: Int64) -> JSONValue {
        .string(CalendarDate(milliseconds: milliseconds).description)
    }
}

extension String {
    /// The text without that beginning.
    fileprivate func dropping(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
