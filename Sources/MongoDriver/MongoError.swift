/// What went wrong between us and a MongoDB deployment. Never holds credentials or documents.
public struct MongoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of failure; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name, as reports show it.
        public let rawValue: String

        /// A code that this module does not define.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }
    }

    /// What kind of failure it is.
    public let code: Code
    /// What failed, in lowercase and without a period; names no server.
    public let message: String
    /// The server's number for it, when a server answered.
    public let serverCode: Int?
    /// The server's name for `serverCode`.
    public let codeName: String?
    /// The server's and the driver's error labels, such as `RetryableWriteError`.
    public let labels: [String]
    /// `host:port` when it is known which server failed, else the connection string without its
    /// secrets.
    public let server: String?
    /// How long the server had been silent when it was given up, in seconds; 0 when it was not for
    /// its silence.
    public let silentSeconds: Double
    /// Whether a server had answered since the pool was made.
    public let contact: Contact

    /// What there had been of a deployment before something failed.
    public enum Contact: Hashable, Sendable {
        /// It had answered.
        case made
        /// It had not, and the pool does not wait for it.
        case failed
        /// It had not, and the pool was made to wait for it.
        case awaited
    }

    /// Everything but code and message has a value that says "unknown".
    public init(
        _ code: Code, _ message: String, serverCode: Int? = nil, codeName: String? = nil,
        labels: [String] = [], server: String? = nil, silentSeconds: Double = 0,
        contact: Contact = .made
    ) {
        self.code = code
        self.message = message
        self.serverCode = serverCode
        self.codeName = codeName
        self.labels = labels
        self.server = server
        self.silentSeconds = silentSeconds
        self.contact = contact
    }

    /// The same of a deployment that was never reached.
    func ofFirstContact(isAwaited: Bool) -> MongoError {
        MongoError(
            code, message, serverCode: serverCode, codeName: codeName, labels: labels,
            server: server, silentSeconds: silentSeconds,
            contact: isAwaited ? .awaited : .failed)
    }

    /// The same failure in other words.
    public func saying(_ message: String) -> MongoError {
        MongoError(
            code, message, serverCode: serverCode, codeName: codeName, labels: labels,
            server: server)
    }

    /// One sentence: what failed, where, why, and what to do about it.
    public var description: String {
        var text = message
        if let serverCode { text += " (\(codeName.map { "\($0), " } ?? "")code \(serverCode))" }
        if let server { text += " at \(server)" }
        // What failed at the first contact says itself what to do.
        if contact == .made, let hint = code.hint { text += "; \(hint)" }
        return text
    }

    /// Whether no answer came: the connection was refused, lost or timed out.
    public var isNetworkError: Bool { code == .network || code == .serverSelection }

    /// Whether the same command may succeed when sent again a little later: the network failed, or
    /// the deployment was changing its primary. Says nothing about whether the command was
    /// executed. What was never reached is not tried again, unless the pool was made to wait for
    /// it.
    public var isRetryable: Bool {
        guard contact != .failed else { return false }
        return isNetworkError || labels.contains("RetryableWriteError")
            || serverCode.map(Self.retryableServerCodes.contains) ?? false
    }

    /// What a server says of an index that there is not.
    public static let indexNotFound = 27

    /// The retryable reads specification's list.
    private static let retryableServerCodes: Set<Int> = [
        6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
    ]
}

extension MongoError.Code {
    /// The connection string cannot be read.
    public static let invalidURI = Self(rawValue: "invalid_uri")
    /// No suitable server answered in time.
    public static let serverSelection = Self(rawValue: "server_selection")
    /// The server refused the credentials.
    public static let authentication = Self(rawValue: "authentication")
    /// The user may not do this.
    public static let unauthorized = Self(rawValue: "unauthorized")
    /// A connection broke or a server did not answer in time.
    public static let network = Self(rawValue: "network")
    /// The server uses TLS and the connection string does not, the other way round, or one does not
    /// trust the other's certificate.
    public static let tls = Self(rawValue: "tls")
    /// The server is not a member of the replica set that the connection string names.
    public static let wrongReplicaSet = Self(rawValue: "wrong_replica_set")
    /// There is no usable password where one was to come from.
    public static let password = Self(rawValue: "password")
    /// What listens there does not speak MongoDB's protocol.
    public static let notMongoDB = Self(rawValue: "not_mongodb")
    /// The server refused a command for a reason that has no code of its own here.
    public static let command = Self(rawValue: "command")
    /// A write was done but not acknowledged as its write concern asks.
    public static let writeConcern = Self(rawValue: "write_concern")
    /// The command is larger than a server takes.
    public static let tooLarge = Self(rawValue: "too_large")
    /// A document with this unique key exists.
    public static let duplicateKey = Self(rawValue: "duplicate_key")
    /// The database or collection does not exist.
    public static let namespaceNotFound = Self(rawValue: "namespace_not_found")
    /// A collection of that name exists.
    public static let namespaceExists = Self(rawValue: "namespace_exists")
    /// The server has forgotten the cursor.
    public static let cursorNotFound = Self(rawValue: "cursor_not_found")
    /// The collection cannot be read at that moment.
    public static let snapshotUnavailable = Self(rawValue: "snapshot_unavailable")
    /// The moment lies outside the history that the server keeps.
    public static let snapshotTooOld = Self(rawValue: "snapshot_too_old")
    /// The collection of that name is another one than the one that was meant.
    public static let collectionReplaced = Self(rawValue: "collection_replaced")
    /// The pool was closed.
    public static let poolClosed = Self(rawValue: "pool_closed")
    /// A reply is not what the protocol says.
    public static let protocolViolation = Self(rawValue: "protocol_violation")

    /// The code for a server's error number.
    init(serverCode: Int) {
        self =
            switch serverCode {
            case 13: .unauthorized
            case 18: .authentication
            case 26: .namespaceNotFound
            case 43: .cursorNotFound
            case 48: .namespaceExists
            case 64: .writeConcern
            case 239: .snapshotTooOld
            case 246: .snapshotUnavailable
            case 361: .collectionReplaced
            case 10334: .tooLarge
            case 11000, 11001, 12582: .duplicateKey
            default: .command
            }
    }

    /// What the reader of the message can do.
    var hint: String? {
        switch self {
        case .serverSelection: "check that it runs and that host and port are right"
        case .authentication: "check user, password and authSource"
        case .network: "check the server's log and the network, then try again"
        case .snapshotTooOld:
            "read faster or raise the server's minSnapshotHistoryWindowInSeconds"
        case .snapshotUnavailable: "the collection changed its shape just then; take a later moment"
        case .cursorNotFound: "it was idle for too long or the server restarted"
        default: nil
        }
    }
}
