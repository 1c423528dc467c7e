internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// The indexes of a collection that is made equal to the snapshot's document by document: those
/// that could refuse or take out a document of the snapshot stand aside while documents are
/// written.
struct PatchedIndexes {
    /// What servers take for a moment that never comes, in seconds.
    private static let expiryMax = Int32.max

    private let definition: CollectionDefinition
    private let namespace: Namespace
    /// The namespace that it is about for the user.
    private let target: Namespace
    private let context: RestoreContext
    /// Whether the collection is the restore's own.
    private let isOwn: Bool
    private var isPrepared = false
    private let changes = Changes()

    /// Indexes as they were before `prepare`: noted before they are changed, so that a failure in
    /// the middle leaves none behind.
    private final class Changes: Sendable {
        /// Those that were dropped.
        let dropped = Mutex<[BSONDocument]>([])
        /// Those that nothing expires by.
        let expiring = Mutex<[BSONDocument]>([])
    }

    /// - Parameter target: the namespace that the collection will have; nil for its own.
    init(
        _ definition: CollectionDefinition, of namespace: Namespace, for target: Namespace? = nil,
        isOwn: Bool = false, _ context: RestoreContext
    ) {
        self.isOwn = isOwn
        self.definition = definition
        self.namespace = namespace
        self.target = target ?? namespace
        self.context = context
    }

    /// To be called before documents are written: drops indexes that the snapshot does not have,
    /// and lets nothing expire until `complete`.
    ///
    /// - Parameter mayExpire: whether documents expire, or may, by the collection's options.
    mutating func prepare(mayExpire: Bool? = nil) async throws {
        guard !isPrepared else { return }
        try await dropSurplus { index in changes.dropped.withLock { $0.append(index) } }
        isPrepared = true
        try await context.pool.withConnection { connection in
            if mayExpire ?? (definition.expiry != nil) {
                try await connection.setExpiry(
                    nil, of: namespace.collection, in: namespace.database)
            }
            let present = try await connection.indexes(
                of: namespace.collection, in: namespace.database)
            let expiring = try present.filter { try $0.first("expireAfterSeconds") != nil }
            for index in expiring {
                let never = try BSONDocument { $0.append("never", Self.expiryMax) }
                    .require("never") { $0 }
                changes.expiring.withLock { $0.append(index) }
                try await setExpiry(never, of: index, connection)
            }
        }
    }

    /// Lets documents expire again by the indexes that are there; others are yet to be built.
    private func restoreExpiries(_ connection: MongoConnection) async throws {
        let wanted = try definition.indexes.filter { try $0.first("expireAfterSeconds") != nil }
        guard !wanted.isEmpty else { return }
        let present = try await connection.indexes(
            of: namespace.collection, in: namespace.database)
        for index in wanted {
            guard let expiry = try index.first("expireAfterSeconds"),
                let name = try index.first("name"),
                let found = try present.first(where: { try $0.first("name") == name }),
                try found.first("expireAfterSeconds") != expiry
            else { continue }
            try await setExpiry(expiry, of: index, connection)
        }
    }

    /// Whether `prepare` has dropped or changed any.
    var hasChanged: Bool {
        isPrepared || !changes.dropped.withLock(\.isEmpty)
    }

    /// Undoes what `prepare` did to the indexes of a live collection, whose options are left.
    func takeBack() async throws {
        let (dropped, expiring) = (
            changes.dropped.withLock(\.self), changes.expiring.withLock(\.self)
        )
        try await context.pool.withConnection { connection in
            for index in expiring {
                guard let expiry = try index.first("expireAfterSeconds") else { continue }
                try await setExpiry(expiry, of: index, connection)
            }
            try await connection.createIndexes(
                dropped.map { try definition.asBuilt($0) }, of: namespace.collection,
                in: namespace.database)
        }
    }

    /// Makes the indexes those of the snapshot; a restore's own collection has no others.
    ///
    /// - Throws: `notEqual` when the server has made something else of an index; `MongoError`.
    func complete() async throws {
        if !isOwn { try await dropSurplus() }
        let differences = try await context.pool.withConnection { connection in
            if isPrepared || isOwn {
                if let expiry = definition.expiry {
                    try await connection.setExpiry(
                        expiry, of: namespace.collection, in: namespace.database)
                }
                try await restoreExpiries(connection)
            }
            return try await connection.buildIndexes(
                definition, of: namespace.collection, in: namespace.database, context.rules)
        }
        guard differences.isEmpty else { throw SnapshotError.indexes(differences, of: target) }
    }

    /// Drops indexes that the snapshot has not, or has in another way.
    ///
    /// - Parameter note: called with each before it is dropped.
    private func dropSurplus(_ note: (BSONDocument) -> Void = { _ in }) async throws {
        let wanted = Dictionary(
            try definition.indexes.map {
                (try $0.nameBytes, try CanonicalDefinition.index($0))
            },
            uniquingKeysWith: { first, _ in first })
        try await context.pool.withConnection { connection in
            let present = try await connection.indexes(
                of: namespace.collection, in: namespace.database)
            for index in present {
                let name = try index.first("name")?.string ?? ""
                let isOwn = try name == "_id_" || index.first("clustered") != nil
                let isKept = try wanted[index.nameBytes].map { try isSame($0, index) } ?? false
                guard !isOwn, !isKept else { continue }
                note(index)
                try await connection.dropIndex(
                    name, of: namespace.collection, in: namespace.database)
            }
        }
    }

    /// Whether an index is the one that is wanted; while documents are written, apart from when it
    /// lets them expire.
    private func isSame(_ wanted: BSONDocument, _ present: BSONDocument) throws -> Bool {
        let present = try CanonicalDefinition.index(present)
        guard isPrepared else {
            return try CanonicalDefinition.isBuilt(wanted, as: present, context.rules)
        }
        return try CanonicalDefinition.isBuilt(
            wanted.leavingOut("expireAfterSeconds"),
            as: present.leavingOut("expireAfterSeconds"), context.rules)
    }

    private func setExpiry(
        _ expiry: BSONValue, of index: BSONDocument, _ connection: MongoConnection
    ) async throws {
        let name = try index.require("name") { $0 }
        let command = BSONDocument {
            $0.append("collMod", namespace.collection)
            let change = BSONDocument {
                $0.append("name", name)
                $0.append("expireAfterSeconds", expiry)
            }
            $0.append("index", change)
        }
        do {
            _ = try await connection.run(command, on: namespace.database, as: .write)
        } catch let error as MongoError where error.serverCode == MongoError.indexNotFound {
            // It is yet to be built.
            return
        } catch let error as MongoError where error.code == .unauthorized && isOwn {
            // The restore's own collection: the index is built again in the end.
            try await connection.dropIndex(
                name.string ?? "", of: namespace.collection, in: namespace.database)
        }
    }
}

extension SnapshotError {
    /// The server describes indexes in another way than the archive.
    ///
    /// - Parameter names: of the indexes; at least one.
    static func indexes(_ names: [String], of namespace: Namespace) -> SnapshotError {
        SnapshotError(
            .notEqual,
            "the server does not define \(namespace) as the archive does: "
                + names.map { "index \($0) differs" }.joined(separator: ", "))
    }
}

extension BSONDocument {
    fileprivate func leavingOut(_ name: String) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try elements() where element.name != name { builder.append(element) }
        }
    }
}
