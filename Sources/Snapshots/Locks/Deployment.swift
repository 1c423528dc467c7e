internal import BSONBytes
public import MongoDriver

/// A server or replica set, by what it calls itself.
public struct Deployment: Hashable, Sendable, CustomStringConvertible {
    /// The replica set's name; nil for a standalone server or a router.
    public var replicaSet: String?
    /// Host and port of its members as it knows them, else those of the connection string; sorted.
    public var hosts: [String]

    /// A deployment of that name and those members.
    public init(replicaSet: String?, hosts: [String]) {
        self.replicaSet = replicaSet
        self.hosts = hosts.sorted()
    }

    /// Asks the server.
    ///
    /// - Parameters:
    ///   - enduranceSeconds: how long a server that is away is waited for, as the job does.
    ///   - observer: told of that.
    /// - Throws: `MongoError`, `CancellationError`.
    public init(
        _ pool: MongoPool, enduranceSeconds: Double, observer: any JobObserver
    ) async throws {
        let endurance = Endurance(seconds: enduranceSeconds, observer: observer)
        let reply = try await endurance.run { _ in
            try await pool.withConnection { connection in
                try await connection.run(
                    BSONDocument { $0.append("hello", Int32(1)) }, on: "admin")
            }
        }
        let members = try reply.first("hosts")?.array()?.compactMap(\.string) ?? []
        self.init(
            replicaSet: try reply.first("setName")?.string,
            hosts: members.isEmpty ? pool.uri.hosts : members)
    }

    /// Whether both may be the same: of one name, with a member in common.
    func mayBe(_ other: Deployment) -> Bool {
        replicaSet == other.replicaSet && !Set(hosts).isDisjoint(with: other.hosts)
    }

    /// The name, else the hosts.
    public var description: String { replicaSet ?? hosts.joined(separator: ",") }
}
