/// A bounded number of connections to one deployment, which share libmongoc's view of it. They are
/// made when first needed and reused, each with its thread, until the pool is closed or let go.
public final class MongoPool: Sendable {
    /// Where the connections lead.
    public let uri: MongoURI
    /// How many connections there may be.
    public let connectionCountMax: Int
    private let line: WaitingLine<MongoConnection>

    /// Makes no connection yet.
    ///
    /// - Throws: `MongoError` with `invalidURI` when libmongoc cannot work with the connection
    ///   string, such as for a TLS file that does not exist.
    public init(uri: MongoURI, connectionCountMax: Int) throws {
        let clients = try ClientPool(uri, clientCountMax: connectionCountMax)
        self.uri = uri
        self.connectionCountMax = connectionCountMax
        line = WaitingLine(countMax: connectionCountMax) { try MongoConnection(clients) }
    }

    /// What the pool is doing now.
    public var usage: Usage {
        let counts = line.counts
        return Usage(
            connectionCount: counts.all, idleCount: counts.idle, waitingCount: counts.waiting)
    }

    /// Connections of a pool.
    public struct Usage: Hashable, Sendable {
        /// Those that were made.
        public var connectionCount: Int
        /// Those of them that nobody uses.
        public var idleCount: Int
        /// How many tasks wait for one.
        public var waitingCount: Int

        /// Sums are begun with this one, that of no pool.
        public init(connectionCount: Int = 0, idleCount: Int = 0, waitingCount: Int = 0) {
            self.connectionCount = connectionCount
            self.idleCount = idleCount
            self.waitingCount = waitingCount
        }
    }

    /// Gives `body` a connection of its own and takes it back however `body` ends. Waits for one in
    /// the order of the calls when all are out; do not ask for a second one within `body`.
    ///
    /// - Throws: `CancellationError` when cancelled while waiting, `MongoError` with `poolClosed`,
    ///   and what `body` throws.
    public func withConnection<Result>(
        _ body: (MongoConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await line.take()
        defer { line.giveBack(connection) }
        return try await body(connection)
    }

    /// Ends idle connections and refuses new work; connections that are out end when given back.
    public func close() {
        line.close()
    }
}
