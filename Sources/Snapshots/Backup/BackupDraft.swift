internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What a backup notes beside its unfinished archive, so that another can resume it: what was
/// decided before the first document was read.
struct BackupDraft: Sendable {
    /// Without totals; its namespaces are those of the archive's prelude, but for an oplog.
    let manifest: Manifest
    let moment: SourceCatalog.Moment
    /// Identities of the collections that are read, of each namespace.
    let dataUUIDs: [[UInt8]?]
    /// The server that is read, where that is certain: on another one the same documents may be
    /// stored in another order.
    let host: String?

    init(_ manifest: Manifest, _ plan: BackupPlan, _ catalog: SourceCatalog, host: String?) {
        var manifest = manifest
        manifest.namespaces = plan.collections.map { Manifest.NamespaceEntry($0.descriptor) }
        self.manifest = manifest
        moment = catalog.moment
        dataUUIDs = plan.collections.map(\.dataUUID)
        self.host = host
    }

    var bytes: [UInt8] {
        BSONDocument { builder in
            builder.append("manifest", manifest.document)
            let uuids = dataUUIDs.map { uuid in
                BSONDocument { if let uuid { $0.append("uuid", binary: uuid, subtype: 4) } }
            }
            builder.append("data_uuids", array: uuids)
            if let host { builder.append("host", host) }
            switch moment {
            case .instant(let time): builder.append("instant", time)
            case .window(let window):
                builder.append("window_start", window.start)
                builder.append("window_floor", window.floor)
            case .whenever: break
            }
        }.bytes
    }

    /// - Throws: `ArchiveError`, `BSONError` for what is no such note.
    init(bytes: [UInt8]) throws {
        let document = try BSONDocument(
            validating: bytes, limit: 2 * ArchiveLimits.manifestByteCountMax)
        manifest = try Manifest(document.require("manifest", \.document))
        let uuids = try document.require("data_uuids") { $0.type == .array ? $0 : nil }.array()
        dataUUIDs = try (uuids ?? []).map { entry in
            try entry.document?.first("uuid")?.binary.map { Array($0.payload) }
        }
        host = try document.first("host")?.string
        if let time = try document.first("instant")?.timestamp {
            moment = .instant(time)
        } else if let start = try document.first("window_start")?.timestamp,
            let floor = try document.first("window_floor")?.timestamp
        {
            moment = .window(OplogWindow(start: start, floor: floor))
        } else {
            moment = .whenever
        }
        guard dataUUIDs.count == manifest.namespaces.count else {
            throw ArchiveError(.malformed, "the note of a backup is damaged")
        }
    }

    /// The catalog as it was listed then.
    func catalog(_ server: ServerInfo) throws -> SourceCatalog {
        let entries = try zip(manifest.namespaces, dataUUIDs).map { entry, uuid in
            try SourceCatalog.Entry(entry.descriptor, dataUUID: uuid)
        }
        return SourceCatalog(server: server, moment: moment, entries: entries)
    }

    /// Whether it is of a backup that was asked for the same.
    func fits(_ options: Backup.Options) -> Bool {
        manifest.selection == options.selection && manifest.compression == options.compression
            && manifest.chunkTargetByteCount == options.chunkTargetByteCount
    }
}

extension Backup.Options {
    /// What was asked for, as the manifest has it.
    var selection: Manifest.Selection {
        Manifest.Selection(
            database: filter.database, namespacesIncluded: filter.included.map(\.text),
            namespacesExcluded: filter.excluded.map(\.text))
    }
}
