public import BSONBytes
import BlockingCalls

/// One connection's worth of work: calls run one after another on a thread of the connection's own,
/// so a call that waits for the server holds up nobody else. Got from `MongoPool.withConnection`.
public actor MongoConnection {
    private let executor: SerialThreadExecutor
    let client: Client
    /// What its sockets know of whoever has the connection.
    nonisolated let link: ConnectionLink
    /// The session of the connection's inserts. Kept, so that nobody else counts transactions in
    /// it.
    var writeSession: Session?

    /// The connection's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Takes a client out of `pool`. No connection is made before the first command.
    init(_ pool: ClientPool) throws(MongoError) {
        executor = SerialThreadExecutor(label: "cairn.mongo-connection")
        client = try Client(pool)
        link = client.link
    }

    /// Sends a command and returns the reply, which may hold `writeErrors`.
    ///
    /// - Throws: `CancellationError` before anything is sent; `MongoError` when no reply came, it
    ///   says `ok: 0`, or it has a `writeConcernError`.
    public func run(
        _ command: BSONDocument, on database: String, as kind: CommandKind = .primary
    ) throws -> BSONDocument {
        try Task.checkCancellation()
        return try reply(to: command.bytes, on: database, along: Route(kind: kind)).get().document()
    }

    /// Calls `body`, which a cancellation of the task that has the connection does not cut short:
    /// what must be completed once begun. A server that hangs is given up all the same.
    public nonisolated func uninterrupted<Result>(
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        link.protect()
        defer { link.unprotect() }
        return try await body()
    }

    /// Opens a cursor over a collection and gives it to `body`; afterwards, however `body` ends,
    /// the server forgets it. The connection may run other commands between two batches.
    ///
    /// - Throws: `MongoError` when the collection cannot be read, and what `body` throws. A
    ///   collection that does not exist is empty.
    public nonisolated func withCursor<Result>(
        _ request: FindRequest, _ body: (MongoCursor) async throws -> Result
    ) async throws -> Result {
        let cursor = try await openCursor(request)
        // A server answers for a collection that is not there at that moment as for an empty one,
        // only without a moment.
        guard request.atClusterTime == nil || cursor.readsSnapshot else {
            await cursor.close()
            throw MongoError(
                .snapshotUnavailable,
                "\(request.database).\(request.collection) was dropped or renamed after the "
                    + "moment to be read")
        }
        return try await Self.with(cursor, body)
    }

    /// The same for any command that answers with a cursor, such as `aggregate`.
    ///
    /// - Parameter batchByteCount: bytes that replies are asked to have; the first has as many
    ///   documents as the command says.
    public nonisolated func withCursor<Result>(
        _ command: BSONDocument, on database: String, as kind: CommandKind = .read,
        batchByteCount: Int = MongoCursor.batchByteCountTarget,
        _ body: (MongoCursor) async throws -> Result
    ) async throws -> Result {
        let count = FindRequest.batchDocumentCountMax
        let cursor = try await openCursor(
            command, database, kind, batchDocumentCount: count, batchByteCount: batchByteCount)
        return try await Self.with(cursor, body)
    }

    // MARK: For the other files of this module

    /// Sends any command. A result, for errors keep their type across `assumeIsolated` that way.
    func reply(
        to command: [UInt8], on database: String, along route: Route
    ) -> Result<Reply, MongoError> {
        command.withUnsafeBytes { bytes in
            do throws(MongoError) {
                return .success(try client.execute(bytes, on: database, along: route))
            } catch { return .failure(error) }
        }
    }

    private func openCursor(_ request: FindRequest) throws -> MongoCursor {
        try openCursor(
            request.command(readConcernLevel: client.readConcernLevel), request.database, .read,
            batchDocumentCount: request.batchDocumentCount,
            batchByteCount: MongoCursor.batchByteCountTarget)
    }

    private func openCursor(
        _ command: BSONDocument, _ database: String, _ kind: CommandKind,
        batchDocumentCount: Int32, batchByteCount: Int
    ) throws -> MongoCursor {
        try Task.checkCancellation()
        let server = try client.selectServer(for: kind)
        let route = Route(kind: kind, serverID: server, session: try client.startSession())
        let reply = try reply(to: command.bytes, on: database, along: route).get()
        return try MongoCursor(
            reply, of: self, on: database, route: route, serverID: server,
            batchDocumentCount: batchDocumentCount, batchByteCount: batchByteCount)
    }

    private static nonisolated func with<Result>(
        _ cursor: MongoCursor, _ body: (MongoCursor) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body(cursor)
            await cursor.close()
            return result
        } catch {
            await cursor.close()
            throw error
        }
    }
}
