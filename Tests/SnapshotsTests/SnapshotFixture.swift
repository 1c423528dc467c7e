import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import ObjectStorage
import PrivateServer
import SampleData
import Snapshots
import Synchronization
import Testing

/// Runs where there is a `mongod`, and says so loudly where there is none.
extension Trait where Self == ConditionTrait {
    static var needsServer: Self {
        .enabled(if: PrivateServer.isAvailable, "\(PrivateServer.unavailableMessage)")
    }
}

/// Collects what a job tells.
final class RecordingObserver: JobObserver {
    private let lines = Mutex<[String]>([])
    private let phases = Mutex<[JobProgress.Phase]>([])
    private let onProgress: @Sendable (JobProgress) -> Void

    init(onProgress: @escaping @Sendable (JobProgress) -> Void = { _ in }) {
        self.onProgress = onProgress
    }

    var notices: [String] { lines.withLock { $0 } }
    var seenPhases: [JobProgress.Phase] { phases.withLock { $0 } }

    func progressed(_ progress: JobProgress) {
        phases.withLock { $0.append(progress.phase) }
        onProgress(progress)
    }

    func noticed(_ message: String) {
        lines.withLock { $0.append(message) }
    }
}

/// A folder that vanishes with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cairn-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print(error) }
    }

    var contents: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

/// A server, a database name nobody else uses, and a repository.
struct SnapshotFixture: Sendable {
    let pool: MongoPool
    let folder: TemporaryFolder
    let store: FileSystemStore
    let database: String

    init(
        _ server: PrivateServer, database: String = "d" + UUID().uuidString.prefix(8)
    ) async throws {
        try await self.init(server, uri: server.uri, database: database)
    }

    init(
        _ server: PrivateServer, uri: MongoURI,
        database: String = "d" + UUID().uuidString.prefix(8)
    ) async throws {
        try await self.init(uri, database: database)
    }

    init(_ uri: MongoURI, database: String) async throws {
        pool = try MongoPool(uri: uri, connectionCountMax: 4)
        folder = try TemporaryFolder()
        store = try await FileSystemStore(folder: folder.path, create: true)
        self.database = database
    }

    static func shared() async throws -> SnapshotFixture {
        try await SnapshotFixture(try await PrivateServer.shared())
    }

    var environment: JobEnvironment {
        JobEnvironment(
            now: { Int64(Date().timeIntervalSince1970 * 1000) }, random: { .random(in: 0 ... .max) }
        )
    }

    var catalog: SnapshotCatalog { SnapshotCatalog(store) }

    @discardableResult
    func backup(
        _ compression: Compression = .standard, width: Int = 2, chunk: Int = 262_144,
        filter: NamespaceFilter? = nil, to store: FileSystemStore? = nil,
        observer: RecordingObserver = RecordingObserver(),
        adjust: (inout Backup.Options) -> Void = { _ in }
    ) async throws -> Backup.Report {
        var options = Backup.Options(width: width)
        options.filter = filter ?? NamespaceFilter(database: database)
        options.compression = compression
        options.chunkTargetByteCount = chunk
        adjust(&options)
        return try await Backup(
            pool, to: .repository(store ?? self.store), options: options, environment: environment,
            observer: observer
        ).run()
    }

    @discardableResult
    func restore(
        _ location: ArchiveLocation? = nil, _ mode: Restore.Mode = .replace, width: Int = 2,
        renames: [String] = [], included: [String] = [], excluded: [String] = [],
        usersAndRoles: Bool = true, observer: RecordingObserver = RecordingObserver(),
        adjust: (inout Restore.Options) -> Void = { _ in }
    ) async throws -> RestoreReport {
        var options = Restore.Options(mode: mode, width: width)
        options.renames = try renames.map { try NamespaceRename($0) }
        options.filter.included = try included.map { try NamespacePattern($0) }
        options.filter.excluded = try excluded.map { try NamespacePattern($0) }
        options.restoresUsersAndRoles = usersAndRoles
        adjust(&options)
        return try await Restore(
            location ?? .snapshot("latest", in: catalog), to: pool, options: options,
            observer: observer
        ).run()
    }

    // MARK: The server's side

    func insert(_ documents: [BSONDocument], _ collection: String) async throws {
        let bytes = documents.flatMap(\.bytes)
        let result = try await pool.withConnection { connection in
            try await connection.insert(
                bytes[...], into: collection, on: database, options: InsertOptions())
        }
        try #require(result.errors.isEmpty, "\(result.errors)")
    }

    func create(_ collection: String, _ options: BSONDocument = BSONDocument()) async throws {
        try await pool.withConnection { connection in
            try await connection.createCollection(collection, in: database, options: options)
        }
    }

    func command(_ command: BSONDocument, on database: String? = nil) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.run(command, on: database ?? self.database, as: .write)
        }
    }

    /// All documents as they are stored, in natural order.
    func documents(_ collection: String, in database: String? = nil) async throws -> [BSONDocument]
    {
        try await pool.withConnection { connection in
            let request = FindRequest(database: database ?? self.database, collection: collection)
            return try await connection.withCursor(request) { cursor in
                var documents: [BSONDocument] = []
                while let batch = try await cursor.nextBatch() {
                    documents += try batch.documents()
                }
                return documents
            }
        }
    }

    /// Everything about a database that a restore must bring back.
    struct State: Equatable {
        struct Collection: Equatable {
            var type: String
            var options: BSONDocument
            var indexes: [BSONDocument]
            var documents: [BSONDocument]
        }

        var collections: [String: Collection]
    }

    func state(_ database: String? = nil) async throws -> State {
        let database = database ?? self.database
        var state = State(collections: [:])
        let infos = try await pool.withConnection { try await $0.collections(in: database) }
        for info in infos where info.name != "system.views" {
            var collection = State.Collection(
                type: info.type, options: info.options, indexes: [], documents: [])
            if info.type != "view" {
                collection.indexes = try await pool.withConnection { connection in
                    info.name.hasPrefix("system.buckets.")
                        ? [] : try await connection.indexes(of: info.name, in: database)
                }
                let isOrdered = try info.options.first("capped") != nil
                let documents = try await documents(info.name, in: database)
                collection.documents =
                    isOrdered
                    ? documents
                    : documents.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            }
            state.collections[info.name] = collection
        }
        return state
    }

    func drop(_ database: String? = nil) async throws {
        let database = database ?? self.database
        try await pool.withConnection { try await $0.dropDatabase(database) }
    }

    /// Names of collections, staging ones too.
    func names(in database: String? = nil) async throws -> [String] {
        let database = database ?? self.database
        return try await pool.withConnection { connection in
            try await connection.collections(in: database).map(\.name).sorted()
        }
    }
}

/// Counts from 1, from any thread.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
