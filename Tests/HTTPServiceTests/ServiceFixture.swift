internal import AccessControl
internal import BSONBytes
internal import Foundation
internal import Hummingbird
internal import MongoDriver
internal import ObjectStorage
internal import Operations
internal import PrivateServer
internal import ServiceState
internal import Snapshots
internal import Synchronization
internal import Testing

@testable internal import HTTPService

/// Runs where there is a `mongod`, and says so loudly where there is none.
extension Trait where Self == ConditionTrait {
    static var needsServer: Self {
        .enabled(if: PrivateServer.isAvailable, "\(PrivateServer.unavailableMessage)")
    }
}

/// What a service stands on: state and repository in a folder that vanishes, a database of its own
/// on the server that the process shares, tokens of every role, and a log that can be read.
struct ServiceFixture: Sendable {
    /// Stands in documents: nobody may find it in an answer that shows none, or in the log.
    static let documentContents = "contents-of-a-document-7f3a"
    static let secretText = "a-secret-for-tests-0123456789-abcdef"

    let folder: TemporaryFolder
    let database = "h" + UUID().uuidString.prefix(8).lowercased()
    let clock = TestClock()
    let log = LogCapture()
    let tokens: [Role: String]
    let issuer: TokenIssuer
    let pool: MongoPool
    var options: ServiceOptions

    /// - Parameter uri: another server than the shared one.
    init(uri: String? = nil) async throws {
        folder = try TemporaryFolder()
        let uri = if let uri { uri } else { try await Self.sharedURI() }
        pool = try MongoPool(uri: MongoURI(uri), connectionCountMax: 2)
        let secret = try SharedSecret(Self.secretText)
        let rules = try TokenRules()
        issuer = await TokenIssuer(secret: secret, rules: rules)
        var tokens: [Role: String] = [:]
        for role in Role.allCases {
            let grant = TokenGrant(
                subject: "\(role.rawValue)-person", role: role, lifetimeSeconds: 3600)
            tokens[role] = try await issuer.issue(grant, now: clock.date)
        }
        self.tokens = tokens
        var settings = try ServiceSettings(uri: uri, width: 2)
        settings.enduranceSeconds = 0
        options = ServiceOptions(
            stateFolder: folder.path + "/state", repositoryFolder: folder.path + "/repository",
            keys: .secret(secret), rules: rules, settings: settings)
        options.port = 0
        options.graceSeconds = 0
        options.readinessSeconds = 0
        options.subjectRequestsPerMinute = 100_000
        options.addressRequestsPerMinute = 100_000
        options.refusedTokensPerMinute = 1000
    }

    /// One that reaches no database server, for what needs none.
    static func withoutServer() async throws -> ServiceFixture {
        try await ServiceFixture(uri: unreachableURI)
    }

    /// Nothing listens on port 1 of this machine.
    static let unreachableURI = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"

    static func sharedURI(credentials: String = "") async throws -> String {
        uri(of: try await PrivateServer.shared(), credentials: credentials)
    }

    static func uri(of server: PrivateServer, credentials: String = "") -> String {
        "mongodb://\(credentials)127.0.0.1:\(server.port)/?replicaSet=rs0"
    }

    /// The service, answering until `body` has ended.
    ///
    /// - Parameter doesJobs: whether what runs beside the answering runs too.
    func serve(
        _ way: Way = .inProcess, doesJobs: Bool = true, source: SourceLocation = #_sourceLocation,
        _ body: @Sendable (ServiceClient) async throws -> Void
    ) async throws {
        try await Slots.shared.whileTaken {
            let service = try await CairnService(
                options, environment: clock.environment, logger: log.logger)
            defer { service.environment.state.close() }
            var application = try service.application()
            if doesJobs { application.services += service.services }
            try await way.reach(application) { transport in
                try await body(
                    ServiceClient(fixture: self, service: service, transport: transport))
            }
        }
        log.expectNoSecrets(of: self, source)
    }

    /// The audit log, oldest first; also while a service has the state.
    func audit() async throws -> [AuditEvent] {
        let state = try await StateStore(folder: options.stateFolder, isReadOnly: true)
        defer { state.close() }
        return try await state.auditEntries(limit: 1000).entries.reversed().map(\.event)
    }

    // MARK: The server's side

    /// Stores so many documents.
    func fill(_ collection: String = "items", count: Int = 20, note: String? = nil) async throws {
        let documents = (0..<count).map { number in
            BSONDocument {
                $0.append("_id", Int32(number))
                $0.append("note", note ?? Self.documentContents)
            }
        }
        let bytes = documents.flatMap(\.bytes)
        let result = try await pool.withConnection { connection in
            try await connection.insert(
                bytes[...], into: collection, on: database, options: InsertOptions())
        }
        try #require(result.errors.isEmpty, "\(result.errors)")
    }

    /// How many documents there are.
    func count(_ collection: String = "items") async throws -> Int {
        try await pool.withConnection { connection in
            let request = FindRequest(database: database, collection: collection)
            return try await connection.withCursor(request) { cursor in
                var count = 0
                while let batch = try await cursor.nextBatch() {
                    count += try batch.documents().count
                }
                return count
            }
        }
    }

    func drop(_ collection: String = "items") async throws {
        try await pool.withConnection { try await $0.dropCollection(collection, in: database) }
    }

    /// The locks of the service's repository, as another user of it has them.
    var locks: RepositoryLocks {
        get async throws {
            RepositoryLocks(
                try await FileSystemStore(folder: options.repositoryFolder, create: true),
                environment: clock.environment)
        }
    }

    /// A backup of this fixture's database.
    var backupBody: String { #"{"backup_type": "manual", "databases": ["\#(database)"]}"# }
}

/// A clock that stands where a test puts it: the system's, and so much.
final class TestClock: Sendable {
    private let offsetMilliseconds = Mutex<Int64>(0)

    var milliseconds: Int64 {
        Int64(Date().timeIntervalSince1970 * 1000) + offsetMilliseconds.withLock { $0 }
    }
    var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    func advance(seconds: Int64) { offsetMilliseconds.withLock { $0 += seconds * 1000 } }

    var environment: JobEnvironment {
        JobEnvironment(now: { self.milliseconds }, random: { .random(in: 0 ... .max) })
    }
}

/// Wants to know nothing.
struct SilentObserver: JobObserver {
    func progressed(_ progress: JobProgress) {}
    func noticed(_ message: String) {}
}

/// A folder that vanishes with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cairn-service-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print(error) }
    }
}

/// Lets a few services run at a time: each has a database that syncs, and clients that wait.
actor Slots {
    static let shared = Slots(6)
    private var freeCount: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) {
        freeCount = count
    }

    func whileTaken(_ body: () async throws -> Void) async throws {
        await take()
        defer { release() }
        try await body()
    }

    private func take() async {
        guard freeCount == 0 else {
            freeCount -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func release() {
        if waiting.isEmpty { freeCount += 1 } else { waiting.removeFirst().resume() }
    }
}
