import BSONBytes

/// A cursor on a server, read batch by batch: one `getMore` each, no work per document. Lives
/// within `withCursor`, on its connection's thread, tied to one server and one session.
public actor MongoCursor {
    /// Bytes that replies are asked to have, by the size of the documents seen so far. Replies of
    /// 16 MiB, which servers send by themselves, are no faster and take several times the memory:
    /// one is cut up while another is on its way, and the network layer doubles its buffers. A
    /// reply may still have 16 MiB, or one document.
    public static let batchByteCountTarget = 4 * 1024 * 1024

    private let connection: MongoConnection
    private let database: String
    private let collection: String
    private let batchDocumentCountMax: Int32
    private let batchByteCount: Int
    /// What to ask for next.
    private var batchDocumentCount: Int32
    /// Whether the server states the moment that it reads at.
    nonisolated let readsSnapshot: Bool
    /// Which of the deployment's servers reads; the same number is the same host and port.
    public nonisolated let serverID: UInt32
    private let kind: CommandKind
    private var session: Session?
    /// The server's name for the cursor; zero when the server has none any more.
    private var cursorID: Int64
    private var firstBatch: RawBatch?

    /// The connection's: what the cursor does and what the connection does never overlap.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

    /// Takes over the cursor that `reply` tells of.
    ///
    /// - Throws: `MongoError` with `protocolViolation` when it tells of none.
    init(
        _ reply: Reply, of connection: MongoConnection, on database: String, route: Route,
        serverID: UInt32, batchDocumentCount: Int32, batchByteCount: Int
    ) throws(MongoError) {
        let cursor = try CursorReply(reply, batch: "firstBatch")
        readsSnapshot = cursor.readsSnapshot
        self.connection = connection
        self.database = database
        batchDocumentCountMax = batchDocumentCount
        self.batchByteCount = batchByteCount
        self.batchDocumentCount = Self.documentCount(
            after: cursor.batch, of: batchByteCount, max: batchDocumentCount)
        self.serverID = serverID
        kind = route.kind
        session = route.session
        collection = cursor.collection
        cursorID = cursor.id
        firstBatch = cursor.batch
    }

    /// The next documents, or nil at the end. Never an empty batch.
    ///
    /// - Throws: `CancellationError`; `MongoError`, after which the cursor is of no use.
    public func nextBatch() throws -> RawBatch? {
        if let batch = firstBatch {
            firstBatch = nil
            if !batch.isEmpty { return batch }
        }
        while cursorID != 0 {
            try Task.checkCancellation()
            let batch = try getMore()
            if !batch.isEmpty { return batch }
        }
        return nil
    }

    /// Whether everything was read: no `nextBatch` would give any more.
    public var isExhausted: Bool { cursorID == 0 && firstBatch == nil }

    /// Makes the server forget the cursor and gives the session back. May be called again.
    func close() {
        if cursorID != 0 {
            let command = BSONDocument {
                $0.append("killCursors", collection)
                $0.append("cursors", array: [BSONValue(cursorID)])
            }
            cursorID = 0
            // A cursor that could not be killed ends with its session; there is nobody to tell.
            _ = Result { try execute(command) }
        }
        firstBatch = nil
        session = nil
    }

    private func getMore() throws(MongoError) -> RawBatch {
        let command = BSONDocument {
            $0.append("getMore", cursorID)
            $0.append("collection", collection)
            $0.append("batchSize", batchDocumentCount)
        }
        do throws(MongoError) {
            let cursor = try CursorReply(execute(command), batch: "nextBatch")
            cursorID = cursor.id
            batchDocumentCount = Self.documentCount(
                after: cursor.batch, of: batchByteCount, max: batchDocumentCountMax)
            return cursor.batch
        } catch {
            // No point in a killCursors to a server that is gone or knows no such cursor.
            if error.isNetworkError || error.code == .cursorNotFound { cursorID = 0 }
            throw error
        }
    }

    /// How many documents make up so many bytes, by those of the last batch.
    private static func documentCount(
        after batch: RawBatch, of batchByteCount: Int, max: Int32
    ) -> Int32 {
        guard let byteCount = batch.typicalByteCount else { return max }
        return Swift.min(max, Swift.max(1, Int32(batchByteCount / byteCount)))
    }

    private func execute(_ command: BSONDocument) throws(MongoError) -> Reply {
        let route = Route(kind: kind, serverID: serverID, session: session)
        let database = database
        let result = connection.assumeIsolated { connection in
            connection.reply(to: command.bytes, on: database, along: route)
        }
        return try result.get()
    }
}

/// The part of a reply that every command with a cursor answers.
private struct CursorReply {
    let id: Int64
    /// What a getMore calls the collection.
    let collection: String
    let batch: RawBatch
    let readsSnapshot: Bool

    init(_ reply: Reply, batch name: String) throws(MongoError) {
        guard let batch = RawBatch(reply, named: name), let id = reply.int64(at: "cursor.id"),
            let namespace = reply.string(at: "cursor.ns"),
            let dot = namespace.firstIndex(of: ".")
        else {
            throw MongoError(.protocolViolation, "a reply that should have a cursor has none")
        }
        self.id = id
        // A database's name has no dot; a collection's may.
        collection = String(namespace[namespace.index(after: dot)...])
        self.batch = batch
        readsSnapshot = reply.withElement(at: "cursor.atClusterTime") { _ in true } ?? false
    }
}

extension BSONValue {
    fileprivate init(_ number: Int64) {
        let bytes = withUnsafeBytes(of: number.littleEndian) { Array($0) }
        self.init(type: .int64, bytes: bytes[...])
    }
}
