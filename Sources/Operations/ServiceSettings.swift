public import MongoDriver
public import Snapshots
internal import Synchronization

/// What the service works with.
public struct ServiceSettings: Sendable {
    /// The connection string; secret.
    private let uri: String
    /// How many chunks are compressed, or decoded, at once.
    public var width: Int
    /// How long jobs try again when the server is away, in seconds.
    public var enduranceSeconds = 120.0
    /// What is kept unless a request says otherwise.
    public var retention = RetentionPolicy()

    /// - Parameter uri: the connection string of the server.
    /// - Throws: `MongoError` with `invalidURI`.
    public init(uri: String, width: Int) throws {
        _ = try MongoURI(uri)
        self.uri = uri
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
            uri: MongoURI(uri, socketTimeoutSeconds: isPatient ? Self.commandSecondsMax : nil),
            connectionCountMax: connectionCountMax)
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
