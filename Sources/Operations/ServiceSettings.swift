public import MongoDriver
public import Snapshots
internal import Synchronization

/// What the service works with.
public struct ServiceSettings: Sendable {
    /// The connection string; secret.
    private let uri: String
    /// Its user's password, where it has none; secret.
    private let password: String?
    /// Whether jobs wait for a server that has not answered since the service was started.
    public var waitsForServer = false
    /// How many chunks are compressed, or decoded, at once.
    public var width: Int
    /// How long jobs try again when the server is away, in seconds.
    public var enduranceSeconds = 120.0
    /// What is kept unless a request says otherwise.
    public var retention = RetentionPolicy()

    /// - Parameters:
    ///   - uri: the connection string of the server.
    ///   - password: its user's, where it has none.
    /// - Throws: `MongoError` with `invalidURI`, also for a file with certificates or a key that
    ///   can't be used.
    public init(uri: String, password: String? = nil, width: Int) throws {
        // A mistake is told at the start, not by the first job.
        try MongoPool(uri: MongoURI(uri, password: password), connectionCountMax: 1).close()
        self.uri = uri
        self.password = password
        self.width = width
    }

    /// Building an index is one command that takes as long as it takes.
    private static let commandSecondsMax: Int32 = 24 * 60 * 60

    /// Which server a pool leads to, once it answers.
    ///
    /// - Throws: `MongoError`.
    func deployment(_ pool: MongoPool, _ observer: any JobObserver) async throws -> Deployment {
        try await Deployment(pool, enduranceSeconds: enduranceSeconds, observer: observer)
    }

    /// Pools that jobs use now.
    let pools = PoolRegistry()

    /// Connections for a job; none is made yet.
    ///
    /// - Parameter isPatient: whether commands may take hours.
    /// - Throws: `MongoError`.
    public func makePool(connectionCountMax: Int, isPatient: Bool) throws -> MongoPool {
        let pool = try MongoPool(
            uri: MongoURI(
                uri, socketTimeoutSeconds: isPatient ? Self.commandSecondsMax : nil,
                password: password),
            connectionCountMax: connectionCountMax,
            // What has answered once is away for a while when it does not.
            waitsForServer: waitsForServer || pools.wasReached,
            onReached: { [pools] in pools.noteReached() })
        pools.add(pool)
        return pool
    }
}

/// The pools of all jobs, for as long as those have them.
final class PoolRegistry: Sendable {
    private struct Reference: Sendable {
        weak let pool: MongoPool?
    }

    private let references = Mutex<[Reference]>([])
    private let isReached = Atomic<Bool>(false)

    /// Whether the server has answered any of them, ever.
    var wasReached: Bool { isReached.load(ordering: .relaxed) }

    /// The server has answered.
    func noteReached() {
        isReached.store(true, ordering: .relaxed)
    }

    func add(_ pool: MongoPool) {
        references.withLock { references in
            references.removeAll { $0.pool == nil }
            references.append(Reference(pool: pool))
        }
    }

    /// The sums of all of them.
    var usage: MongoPool.Usage {
        references.withLock { $0.compactMap(\.pool) }.map(\.usage)
            .reduce(into: MongoPool.Usage()) { sum, usage in
                sum.connectionCount += usage.connectionCount
                sum.idleCount += usage.idleCount
                sum.waitingCount += usage.waitingCount
            }
    }
}
