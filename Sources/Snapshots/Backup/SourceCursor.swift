internal import BSONBytes
internal import MongoDriver

/// A cursor of a backup. In an oplog window a collection may be dropped under it, or before it was
/// opened: the entries of the oplog say so, and what was read until then is all that is needed.
struct SourceCursor: Sendable {
    private let connection: MongoConnection
    private let request: FindRequest
    private let identity: [UInt8]?
    /// Nil when the collection was gone before.
    private let cursor: MongoCursor?

    fileprivate init(
        _ connection: MongoConnection, _ request: FindRequest, _ identity: [UInt8]?,
        _ cursor: MongoCursor?
    ) {
        self.connection = connection
        self.request = request
        self.identity = identity
        self.cursor = cursor
    }

    /// Which server reads; nil when the collection was gone before.
    var serverID: UInt32? { cursor?.serverID }

    /// Whether everything was read.
    var isExhausted: Bool {
        get async { await cursor?.isExhausted ?? true }
    }

    /// The next documents, or nil at the end.
    ///
    /// - Throws: `MongoError`; `catalogChanged` when the collection was renamed under the cursor:
    ///   servers end it then, and what it had not read yet can't be told from what it had.
    func nextBatch() async throws -> RawBatch? {
        do {
            return try await cursor?.nextBatch()
        } catch let error as MongoError
            where error.serverCode == Backup.queryPlanKilled && request.isOfWindow
        {
            guard let identity,
                let name = try await connection.name(of: identity, in: request.database)
            else { return nil }
            throw SnapshotError(
                .catalogChanged,
                "collection \(request.database).\(name) was renamed while it was read; run the "
                    + "backup again")
        }
    }
}

extension FindRequest {
    /// Whether it reads as of one instant.
    var isOfInstant: Bool { atClusterTime != nil }

    /// Whether documents come as they are stored.
    var isInOrderOfStorage: Bool { hint == BSONDocument { $0.append("$natural", Int32(1)) } }

    /// Whether it reads within an oplog window.
    fileprivate var isOfWindow: Bool { afterClusterTime != nil }
}

extension MongoConnection {
    /// Opens a backup's cursor. In an oplog window it is over the collection of that identity,
    /// whatever its name is by now: the entries that gave it the new name are replayed like all
    /// others, and another collection of the old name is not in the catalog.
    ///
    /// Servers before 6.0 do not check identities; there the name is looked up when the cursor is
    /// open.
    nonisolated func withCursor<Result>(
        _ request: FindRequest, identity: [UInt8]?,
        _ body: (SourceCursor) async throws -> Result
    ) async throws -> Result {
        guard request.isOfWindow, let identity else {
            return try await withCursor(request) { cursor in
                try await body(SourceCursor(self, request, identity, cursor))
            }
        }
        var request = request
        while true {
            do {
                return try await withCursor(request) { cursor in
                    try await checkName(request, identity)
                    return try await body(SourceCursor(self, request, identity, cursor))
                }
            } catch let error as MongoError
                where error.code == .collectionReplaced
                || error.serverCode == Backup.queryPlanKilled
            {
                guard let name = try await name(of: identity, in: request.database) else {
                    return try await body(SourceCursor(self, request, identity, nil))
                }
                request.collection = name
            }
        }
    }

    /// The name of the collection of that identity; nil when there is none.
    fileprivate nonisolated func name(
        of identity: [UInt8], in database: String
    ) async throws -> String? {
        try await collections(in: database).first { $0.uuid == identity }?.name
    }

    private nonisolated func checkName(
        _ request: FindRequest, _ identity: [UInt8]
    ) async throws {
        guard request.collectionUUID == nil,
            try await name(of: identity, in: request.database) != request.collection
        else { return }
        throw MongoError(.collectionReplaced, "the collection was dropped or renamed")
    }
}
