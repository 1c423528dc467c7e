internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What there is to back up on a server: which namespaces, in which order, and how each is read.
struct SourceCatalog: Sendable {
    /// A namespace with what the plan wants to know of it.
    struct Entry: Sendable {
        var descriptor: NamespaceDescriptor
        /// The identity of the collection whose documents are read.
        var dataUUID: [UInt8]?
        var isCapped: Bool
        /// Whether its `_id`s are the keys of an index in their own order.
        var canBeSplit: Bool
    }

    /// When the collections are read.
    enum Moment: Hashable, Sendable {
        /// At an instant, at which there were exactly these collections.
        case instant(BSONTimestamp)
        /// Within a window, at whose opening there were exactly these collections.
        case window(OplogWindow)
        /// Whenever their cursors get to them.
        case whenever
    }

    /// How often the collections are listed again because they changed while a moment was chosen.
    private static let listingCountMax = 50

    let server: ServerInfo
    let moment: Moment
    /// Users, roles and the authorization schema first, then by name: the order of the archive.
    let entries: [Entry]

    /// Reads the catalog of every database that the filter lets through.
    ///
    /// - Throws: `MongoError`; `SnapshotError` with `catalogChanged` when no moment could be found
    ///   at which the collections stayed as they were.
    static func read(
        _ pool: MongoPool, filter: NamespaceFilter, _ level: Backup.Level
    ) async throws -> SourceCatalog {
        try await checkPrivileges(pool, filter, level)
        for _ in 1..<listingCountMax {
            do {
                if let catalog = try await readOnce(pool, filter, level) { return catalog }
            } catch let error as MongoError where error.code == .namespaceNotFound {
                // Dropped before its indexes were listed. Nothing is written yet, so look again.
                continue
            }
        }
        guard let catalog = try await readOnce(pool, filter, level) else { throw restless }
        return catalog
    }

    /// - Returns: nil when the collections did not stay the same long enough.
    private static func readOnce(
        _ pool: MongoPool, _ filter: NamespaceFilter, _ level: Backup.Level
    ) async throws -> SourceCatalog? {
        let server = try await pool.withConnection { try await $0.serverInfo() }
        let (listings, moment) = try await fixMoment(pool, filter, level)
        var entries: [Entry] = []
        for listing in listings { entries += try await read(listing, pool, server) }
        if case .window = moment, try await Listing.all(pool, filter) != listings {
            // Its indexes are listed by name. Those of another collection that took the name would
            // be taken for the ones that the entries of the oplog are about.
            return nil
        }
        return SourceCatalog(
            server: server, moment: moment, entries: entries.sorted { $0.isBefore($1) })
    }

    /// A moment is only of use with the collections that there were at it, and no server tells
    /// those afterwards. So they are listed before and after it, until both are the same.
    private static func fixMoment(
        _ pool: MongoPool, _ filter: NamespaceFilter, _ level: Backup.Level
    ) async throws -> ([Listing], Moment) {
        var before = try await Listing.all(pool, filter)
        guard level != .none else { return (before, .whenever) }
        for _ in 1...listingCountMax {
            let moment = try await pool.withConnection { connection in
                level == .oplog
                    ? Moment.window(try await OplogWindow.open(connection))
                    : try await connection.operationTime().map(Moment.instant) ?? .whenever
            }
            let after = try await Listing.all(pool, filter)
            if before == after { return (after, moment) }
            before = after
        }
        throw restless
    }

    private static var restless: SnapshotError {
        SnapshotError(
            .catalogChanged,
            "collections are made, dropped or renamed all the time, so that no moment could be "
                + "chosen; leave them out with --ns-exclude, or run the backup at a quieter time")
    }

    private static func read(
        _ listing: Listing, _ pool: MongoPool, _ server: ServerInfo
    ) async throws -> [Entry] {
        var taken = listing.taken.sorted { $0.name < $1.name }[...]
        var entries: [Entry] = []
        try await withOrderedWindow(
            width: max(1, pool.connectionCountMax),
            next: { taken.popFirst() },
            transform: { (info: CollectionInfo) async throws -> Entry in
                try await entry(info, listing, pool, server)
            },
            deliver: { entries.append($0) })
        return entries
    }

    private static func entry(
        _ info: CollectionInfo, _ listing: Listing, _ pool: MongoPool, _ server: ServerInfo
    ) async throws -> Entry {
        let descriptor = try await NamespaceDescriptor(info, in: listing.database, pool, server)
        return try Entry(
            descriptor, dataUUID: listing.uuids[descriptor.dataNamespace])
    }
}

extension SourceCatalog.Entry {
    init(_ descriptor: NamespaceDescriptor, dataUUID: [UInt8]?) throws {
        self.descriptor = descriptor
        self.dataUUID = dataUUID
        isCapped = try descriptor.options.first("capped")?.isTruthy ?? false
        canBeSplit =
            try descriptor.type == .collection
            && ["capped", "clusteredIndex", "collation"].allSatisfy {
                try descriptor.options.first($0) == nil
            }
    }
}

extension SourceCatalog.Entry {
    /// mongorestore wants users, roles and the authorization schema, in this order, before all
    /// else.
    private var specialRank: Int {
        guard descriptor.isAuthorization else { return 3 }
        return ["system.users", "system.roles", "system.version"]
            .firstIndex(of: descriptor.namespace.collection) ?? 3
    }

    fileprivate func isBefore(_ other: SourceCatalog.Entry) -> Bool {
        specialRank == other.specialRank
            ? descriptor.namespace < other.descriptor.namespace
            : specialRank < other.specialRank
    }
}
