import BSONBytes

/// What a server says about itself.
public struct ServerInfo: Hashable, Sendable {
    /// A server's part in its deployment.
    public enum Role: String, Hashable, Sendable {
        /// Alone: no oplog, no snapshot reads.
        case standalone
        /// A member of a replica set.
        case replicaSetMember
        /// A router of a sharded cluster.
        case mongos
    }

    /// A server's version, ordered as versions are.
    public struct Version: Hashable, Comparable, Sendable {
        /// The three numbers, such as 8, 0 and 4.
        public let major: Int, minor: Int, patch: Int

        /// A version to compare with.
        public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
            (self.major, self.minor, self.patch) = (major, minor, patch)
        }

        /// Reads `8.0.4`, `8.1.0-rc0` and `8.0`; nil for what is no version.
        public init?(parsing text: String) {
            let numbers = text.split { !$0.isNumber }.prefix(3).map { Int($0) }
            guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else {
                return nil
            }
            self.init(major, minor, numbers.count > 2 ? numbers[2] ?? 0 : 0)
        }

        /// The earlier version is the smaller one.
        public static func < (left: Version, right: Version) -> Bool {
            (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
        }
    }

    /// The version as the server writes it, such as `8.0.4` or `8.1.0-rc0`.
    public let versionString: String
    /// The version as numbers.
    public let version: Version
    /// Its part in its deployment.
    public let role: Role
    /// The replica set's name, for members.
    public let setName: String?
    /// `host:port` by which members know it; nil for standalone servers and routers.
    public let host: String?
    /// Whether it is a secondary: nothing can be written to it.
    public let isSecondary: Bool
    /// `host:port` of the member that it takes for the primary; nil where there is none.
    public let primary: String?
    /// Whether it was started so that nothing can be written.
    public let isReadOnly: Bool
    /// Bytes of the largest document (`maxBsonObjectSize`).
    public let documentByteCountMax: Int
    /// Bytes of the largest message (`maxMessageSizeBytes`).
    public let messageByteCountMax: Int
    /// The most documents of a write command (`maxWriteBatchSize`).
    public let writeBatchCountMax: Int

    init(hello: BSONDocument, buildInfo: BSONDocument) throws(MongoError) {
        versionString = try buildInfo.requiredField("version", \.string)
        guard let version = Version(parsing: versionString) else {
            throw MongoError(.protocolViolation, "\"\(versionString)\" is no version")
        }
        self.version = version
        setName = try hello.field("setName", \.string)
        let isRouter = try hello.field("msg", \.string) == "isdbgrid"
        role = isRouter ? .mongos : setName == nil ? .standalone : .replicaSetMember
        host = try hello.field("me", \.string)
        isSecondary = try hello.field("secondary", \.bool) ?? false
        primary = try hello.field("primary", \.string)
        isReadOnly = try hello.field("readOnly", \.bool) ?? false
        documentByteCountMax = try Self.limit("maxBsonObjectSize", hello)
        messageByteCountMax = try Self.limit("maxMessageSizeBytes", hello)
        writeBatchCountMax = try Self.limit("maxWriteBatchSize", hello)
    }

    /// What a server takes at most: sizes are computed with it, so that it has to be plausible.
    private static func limit(
        _ name: String, _ hello: BSONDocument
    ) throws(MongoError) -> Int {
        let limit = try hello.requiredField(name, \.wholeNumber)
        guard (1...Int(Int32.max)).contains(limit) else {
            throw MongoError(.protocolViolation, "the server's \(name) is \(limit)")
        }
        return limit
    }
}
