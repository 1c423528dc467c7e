import BSONBytes
import BlockingCalls
public import MongoDriver

/// A `mongod` of our own on a free loopback port with its data in a temporary folder, for tests,
/// demonstrations and benchmarks. Server and folder are gone when this object or this process is,
/// however it ends.
public actor PrivateServer {
    /// How the server is started.
    public struct Options: Sendable {
        /// A single-node replica set (oplog, snapshot reads) instead of a standalone server.
        public var isReplicaSet = true
        /// GB of memory for the storage engine's cache, at least 0.25.
        public var cacheGB = 0.5
        /// Further arguments, such as `--auth`.
        public var arguments: [String] = []
        /// Further options of the connection string that it is waited for with, from `&` on: those
        /// of TLS.
        public var readyQuery = ""
        /// How long the server may take to answer and to become primary, in seconds.
        public var readyTimeoutSeconds = 60

        /// A replica set of one, small.
        public init() {}
    }

    /// Where it is reached. The same after a restart.
    public nonisolated let uri: MongoURI
    /// The loopback port.
    public nonisolated let port: UInt16

    private let executor = SerialThreadExecutor(label: "cairn.private-server")
    private let process: ServerProcess
    private let options: Options

    /// Its own thread, for starting and stopping block.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Whether there is a `mongod` to start; tests that need one are enabled by it.
    public static var isAvailable: Bool { ServerBinary.path != nil }

    /// What a skipped test says.
    public static let unavailableMessage =
        "needs mongod: set CAIRN_MONGOD to its path or put it on PATH"

    /// The one replica set that the tests of this process share, started by the first that asks.
    /// Databases are to be named so that tests do not meet.
    public static func shared() async throws -> PrivateServer {
        try await sharedStart.value
    }

    // The task is kept for its value only: all who ask wait for the same start.
    private static let sharedStart = Task { try await PrivateServer() }

    /// Starts a server and waits until it takes writes.
    ///
    /// - Throws: `PrivateServerError`.
    public init(_ options: Options = Options()) async throws {
        guard let binary = ServerBinary.path else {
            throw PrivateServerError(.noBinary, Self.unavailableMessage)
        }
        let port = try freeLoopbackPort()
        let process = try ServerProcess { folder in
            var command = serverCommand(binary, port, folder, cacheGB: options.cacheGB)
            if options.isReplicaSet { command += ["--replSet", Self.setName] }
            return command + options.arguments
        }
        self.port = port
        self.options = options
        self.process = process
        let query = options.isReplicaSet ? "replicaSet=\(Self.setName)" : "directConnection=true"
        uri = try MongoURI("mongodb://127.0.0.1:\(port)/?\(query)")
        try process.order("start")
        if options.isReplicaSet { try await initiate() }
        try await waitUntilReady()
    }

    /// Ends the server in good order; its data stay for `restart`.
    public func stop() throws {
        try process.order("stop")
    }

    /// Ends the server with SIGKILL, as a power cut would.
    public func kill() throws {
        try process.order("kill")
    }

    /// Stops the server's process without ending it (SIGSTOP), as if its machine had frozen: the
    /// system still takes connections and bytes for it, and nobody answers.
    public func freeze() throws {
        try process.order("freeze")
    }

    /// Lets a frozen server continue.
    public func thaw() throws {
        try process.order("thaw")
    }

    /// Starts a stopped or killed server on its old data and port and waits until it takes writes.
    public func restart() async throws {
        try process.order("stop")
        try process.order("start")
        try await waitUntilReady()
    }

    private static let setName = "rs0"

    private func initiate() async throws {
        let member = BSONDocument {
            $0.append("_id", Int32(0))
            $0.append("host", "127.0.0.1:\(port)")
        }
        let configuration = BSONDocument {
            $0.append("_id", Self.setName)
            $0.append("members", array: [member])
        }
        let command = BSONDocument { $0.append("replSetInitiate", configuration) }
        try await run(command, query: "directConnection=true")
    }

    private func waitUntilReady() async throws {
        let ping = BSONDocument { $0.append("ping", Int32(1)) }
        let query = options.isReplicaSet ? "replicaSet=\(Self.setName)" : "directConnection=true"
        try await run(ping, query: query)
    }

    private func run(_ command: BSONDocument, query: String) async throws {
        let uri = try MongoURI("mongodb://127.0.0.1:\(port)/?\(query)\(options.readyQuery)")
        let end = ContinuousClock.now + .seconds(options.readyTimeoutSeconds)
        do {
            let pool = try MongoPool(uri: uri, connectionCountMax: 1, waitsForServer: true)
            while true {
                do {
                    try await pool.withConnection { _ = try await $0.run(command, on: "admin") }
                    return
                } catch let error as MongoError where error.isRetryable {
                    guard ContinuousClock.now < end else { throw error }
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        } catch {
            throw PrivateServerError(
                .notReady, "mongod in \(process.folder) is not ready: \(error)")
        }
    }
}

/// The command line that every private server has in common.
func serverCommand(
    _ binary: String, _ port: UInt16, _ folder: String, cacheGB: Double
) -> [String] {
    [
        binary, "--bind_ip", "127.0.0.1", "--port", "\(port)", "--dbpath", folder,
        "--logpath", "\(folder)/log", "--logappend", "--nounixsocket",
        "--wiredTigerCacheSizeGB", "\(cacheGB)",
        "--setParameter", "diagnosticDataCollectionEnabled=false",
    ]
}
