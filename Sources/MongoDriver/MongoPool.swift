import Synchronization

/// A bounded number of connections to one deployment, which share libmongoc's view of it. They are
/// made when first needed and reused, each with its thread, until the pool is closed or let go.
///
/// Before the first command a server is asked whether it answers, and a failure says why not. A
/// connection whose user's task is cancelled gives up, within seconds, what it waits for.
public final class MongoPool: Sendable {
    /// Where the connections lead.
    public let uri: MongoURI
    /// How many connections there may be.
    public let connectionCountMax: Int
    private let line: WaitingLine<MongoConnection>
    private let dialer: Dialer
    private let clients: ClientSource
    private let waitsForServer: Bool
    private let onReached: @Sendable () -> Void
    private let isReached = Atomic<Bool>(false)

    /// Makes no connection yet.
    ///
    /// - Parameters:
    ///   - waitsForServer: whether a server that was never reached counts as one that is away for a
    ///     while, so that the error is retryable; otherwise it is not.
    ///   - onReached: called when a server has answered for the first time, from any task.
    /// - Throws: `MongoError` with `invalidURI` when libmongoc cannot work with the connection
    ///   string, such as for a TLS file that does not exist.
    public init(
        uri: MongoURI, connectionCountMax: Int, waitsForServer: Bool = false,
        onReached: @escaping @Sendable () -> Void = {}
    ) throws {
        let dialer = try Dialer(uri.handle)
        let clients = try ClientSource(uri, dialer, clientCountMax: connectionCountMax)
        self.clients = clients
        self.dialer = dialer
        self.waitsForServer = waitsForServer
        self.onReached = onReached
        self.uri = uri
        self.connectionCountMax = connectionCountMax
        line = WaitingLine(countMax: connectionCountMax) { try MongoConnection(clients.clients()) }
    }

    /// Calls `body`, and has `handler` told meanwhile when a server does not answer, and when it
    /// answers again. One caller at a time.
    ///
    /// - Parameter handler: called from any thread.
    public func withNotices<Result>(
        _ handler: @escaping @Sendable (String) -> Void, _ body: () async throws -> Result
    ) async rethrows -> Result {
        dialer.notices.set(handler)
        defer { dialer.notices.set(nil) }
        return try await body()
    }

    /// Whether a server has answered since the pool was made.
    public var wasReached: Bool { isReached.load(ordering: .relaxed) }

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
        /// Connections of the pool that are idle.
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
        try await reach()
        let connection = try await line.take()
        defer {
            connection.link.reset()
            line.giveBack(connection)
        }
        return try await withTaskCancellationHandler {
            try await body(connection)
        } onCancel: {
            connection.link.cancel()
        }
    }

    private func reach() async throws {
        guard !wasReached else { return }
        do {
            try await FirstContact(dialer, clients.servers()).make()
        } catch let error as MongoError {
            throw error.ofFirstContact(isAwaited: waitsForServer)
        }
        isReached.store(true, ordering: .relaxed)
        onReached()
    }

    /// Ends idle connections and refuses new work; connections that are out end when given back.
    public func close() {
        line.close()
    }
}
