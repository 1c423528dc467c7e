public import BSONBytes
import BlockingCalls
public import MongoDriver

/// A replica set of several `mongod`s of our own on this machine, whose members can be killed,
/// stopped and frozen, for tests of failover, hang and rollback. All servers and folders are gone
/// when this object or this process is, however it ends.
public actor PrivateReplicaSet {
    /// How the members are started.
    public struct Options: Sendable {
        /// How many members there are, all with data and a vote.
        public var memberCount = 3
        /// GB of memory for each member's storage engine, at least 0.25.
        public var cacheGB = 0.25
        /// How long members wait for a primary that is silent before they elect another, in
        /// milliseconds. Shorter ones make a busy machine elect for no reason.
        public var electionTimeoutMilliseconds: Int32 = 4000
        /// Further arguments of every member, such as `--setParameter`.
        public var arguments: [String] = []
        /// How long the set may take to elect a primary, in seconds.
        public var readyTimeoutSeconds = 90

        /// Three members, small.
        public init() {}
    }

    /// Where the set is reached. Names all members.
    public nonisolated let uri: MongoURI
    /// The members' loopback ports; a member's number is its place in here.
    public nonisolated let ports: [UInt16]

    private static let setName = "rs0"
    private let executor = SerialThreadExecutor(label: "cairn.private-replica-set")
    private let processes: [ServerProcess]
    private let options: Options
    /// Members that are running and not frozen.
    private var answering: Set<Int>

    /// Its own thread, for starting and stopping block.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Starts the members and waits until one is primary and the others have caught up with it.
    ///
    /// - Throws: `PrivateServerError`.
    public init(_ options: Options = Options()) async throws {
        guard let binary = ServerBinary.path else {
            throw PrivateServerError(.noBinary, PrivateServer.unavailableMessage)
        }
        self.options = options
        var ports: [UInt16] = []
        while ports.count < options.memberCount {
            let port = try freeLoopbackPort()
            if !ports.contains(port) { ports.append(port) }
        }
        self.ports = ports
        processes = try ports.map { port in
            try ServerProcess { folder in
                serverCommand(binary, port, folder, cacheGB: options.cacheGB)
                    + ["--replSet", Self.setName, "--oplogSize", "64"] + options.arguments
            }
        }
        answering = Set(ports.indices)
        let hosts = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        uri = try MongoURI("mongodb://\(hosts)/?replicaSet=\(Self.setName)")
        for process in processes { try process.order("start") }
        try await initiate()
        _ = try await waitUntilReady()
    }

    // MARK: What is done to members

    /// Ends a member in good order; its data stay for `start`.
    public func stop(_ member: Int) throws {
        try process(member).order("stop")
        answering.remove(member)
    }

    /// Ends a member with SIGKILL, as a power cut would.
    public func kill(_ member: Int) throws {
        try process(member).order("kill")
        answering.remove(member)
    }

    /// Starts a stopped or killed member on its old data and port. Does not wait for it.
    public func start(_ member: Int) throws {
        try process(member).order("start")
        answering.insert(member)
    }

    /// Stops a member's process without ending it (SIGSTOP), as if its machine had frozen: the
    /// system still takes connections and bytes for it, and nobody answers.
    public func freeze(_ member: Int) throws {
        try process(member).order("freeze")
        answering.remove(member)
    }

    /// Lets a frozen member continue. It does not know yet that another one may be primary.
    public func thaw(_ member: Int) throws {
        try process(member).order("thaw")
        answering.insert(member)
    }

    // MARK: What the members say

    /// Where one member alone is reached.
    public nonisolated func uri(of member: Int, options: String = "") throws -> MongoURI {
        try MongoURI("mongodb://127.0.0.1:\(ports[member])/?directConnection=true\(options)")
    }

    /// The member that is primary and that a majority of the voters accepts as such; waits for an
    /// election.
    ///
    /// - Parameter other: a member that is not meant, such as the one that was frozen.
    /// - Throws: `PrivateServerError` with `notReady` when there is none in time.
    @discardableResult
    public func primary(otherThan other: Int? = nil) async throws -> Int {
        try await poll("no member became primary") {
            for member in answering.sorted() where member != other {
                if try await state(of: member) == 1 { return member }
            }
            return nil
        }
    }

    /// Waits until one member is primary and all others that answer are secondaries.
    ///
    /// - Returns: the primary.
    @discardableResult
    public func waitUntilReady() async throws -> Int {
        try await poll("the replica set is not ready") {
            var primary: Int?
            for member in answering.sorted() {
                switch try await state(of: member) {
                case 1 where primary == nil: primary = member
                case 2: break
                default: return nil
                }
            }
            return primary
        }
    }

    /// Makes the primary step down; for a minute it does not become one again.
    public func stepDown() async throws {
        let command = BSONDocument {
            $0.append("replSetStepDown", Int32(60))
            $0.append("secondaryCatchUpPeriodSecs", Int32(10))
        }
        _ = try await run(command, on: try await primary())
    }

    /// Runs a command on one member, whatever its state.
    ///
    /// - Throws: `MongoError`.
    public func run(_ command: BSONDocument, on member: Int) async throws -> BSONDocument {
        let timeouts = "&serverSelectionTimeoutMS=3000&connectTimeoutMS=3000&socketTimeoutMS=15000"
        let pool = try MongoPool(
            uri: try uri(of: member, options: timeouts), connectionCountMax: 1)
        return try await pool.withConnection { try await $0.run(command, on: "admin") }
    }

    // MARK: In here

    private func process(_ member: Int) throws -> ServerProcess {
        guard processes.indices.contains(member) else {
            throw PrivateServerError(.system, "there is no member \(member)")
        }
        return processes[member]
    }

    private func initiate() async throws {
        let members = ports.enumerated().map { number, port in
            BSONDocument {
                $0.append("_id", Int32(number))
                $0.append("host", "127.0.0.1:\(port)")
            }
        }
        let settings = BSONDocument {
            $0.append("electionTimeoutMillis", options.electionTimeoutMilliseconds)
            $0.append("heartbeatIntervalMillis", Int32(500))
            $0.append("catchUpTimeoutMillis", Int32(2000))
        }
        let configuration = BSONDocument {
            $0.append("_id", Self.setName)
            $0.append("members", array: members)
            $0.append("settings", settings)
        }
        let command = BSONDocument { $0.append("replSetInitiate", configuration) }
        // It fails as long as a member does not answer yet.
        _ = try await poll("the replica set can't be initiated") {
            do { return try await run(command, on: 0) } catch { return nil }
        }
    }

    /// A member's state as `replSetGetStatus` gives it: 1 primary, 2 secondary; nil when it does
    /// not answer.
    private func state(of member: Int) async throws -> Int? {
        let command = BSONDocument { $0.append("replSetGetStatus", Int32(1)) }
        do {
            return try await run(command, on: member).first("myState")?.wholeNumber
        } catch is MongoError { return nil }
    }

    /// Asks again until there is an answer or the time is over.
    private func poll<Answer>(
        _ failure: String, _ ask: () async throws -> Answer?
    ) async throws -> Answer {
        let end = ContinuousClock.now + .seconds(options.readyTimeoutSeconds)
        while true {
            if let answer = try await ask() { return answer }
            guard ContinuousClock.now < end else {
                throw PrivateServerError(
                    .notReady, "\(failure): \(processes.map(\.folder).joined(separator: ", "))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
