internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
internal import MongoDriver
public import ObjectStorage
public import ServiceState
public import SnapshotJSON
public import Snapshots

/// The snapshots of the service's repository, for whoever looks at them without a job.
public struct SnapshotLibrary: Sendable {
    /// How many chunks are decoded at once for one document.
    private static let lookupWidth = 2

    let store: FileSystemStore
    let catalog: SnapshotCatalog
    let locks: RepositoryLocks
    let settings: ServiceSettings
    let environment: JobEnvironment
    let log: any OperationsLog

    /// - Parameters:
    ///   - state: its jobs keep the snapshots that they read, also while they wait for their turn.
    ///   - log: is told of locks that were broken, because their owners are gone.
    public init(
        store: FileSystemStore, settings: ServiceSettings, state: StateStore,
        environment: JobEnvironment, log: any OperationsLog
    ) {
        self.log = log
        self.store = store
        self.settings = settings
        self.environment = environment
        catalog = SnapshotCatalog(store)
        locks = RepositoryLocks(store, environment: environment) {
            try await state.unfinishedJobs().reduce(into: []) { needed, job in
                needed.formUnion(try JobRequest(text: job.request).readSnapshots)
            }
        }
    }

    /// All snapshots, oldest first.
    ///
    /// - Throws: `ObjectStorageError`.
    public func overviews() async throws -> [SnapshotCatalog.Overview] {
        try await catalog.overviews()
    }

    /// What is in the repository's folder and is no snapshot.
    ///
    /// - Throws: `ObjectStorageError`.
    public func ignored() async throws -> [IgnoredEntry] {
        try await catalog.ignored()
    }

    /// - Throws: `SnapshotError` with `notFound` when there is no snapshot of exactly that name.
    public func checkExists(_ id: String) async throws {
        _ = try await catalog.key(of: try Self.id(id))
    }

    /// What is in a snapshot.
    ///
    /// - Throws: `SnapshotError` with `notFound`; `ArchiveError` for a damaged one.
    public func details(of id: String) async throws -> JSONValue {
        let id = try Self.id(id)
        let reader = try await catalog.open(id)
        let manifest = reader.index.manifest
        let description = ArchiveDescription(
            manifest, prelude: reader.prelude, storedByteCount: reader.storedByteCount ?? 0,
            seal: reader.seal, seconds: 0)
        let verification = try await catalog.verification(of: id)
        return JSONValue(description, path: nil).dropping("seconds").service(adding: [
            "backup_type": .string(id.kind),
            "ratio": .ratio(description.storedByteCount, of: description.byteCount),
            "verification": verification.map { JSONValue($0) } ?? .null,
        ])
    }

    /// Of an `_id` that is written as none can be.
    public static let invalidIDCode = "invalid_id"

    /// One document, as canonical Extended JSON.
    ///
    /// - Parameter id: the `_id`, as people write it.
    /// - Returns: Extended JSON, and how many strings in it were not UTF-8, so that what is not
    ///   was replaced.
    /// - Throws: `JobFailure` with `invalidIDCode` when the `_id` can't be read; `SnapshotError`
    ///   with `notFound`; `ArchiveError` for a damaged archive.
    public func document(
        _ id: String, database: String, collection: String, of snapshot: String
    ) async throws -> (text: String, invalidStringCount: Int) {
        let value: BSONValue
        do throws(ExtendedJSONError) {
            value = try BSONValue(identifier: id)
        } catch {
            throw JobFailure(Self.invalidIDCode, "can't be read as Extended JSON: \(error)")
        }
        let location = try await location(of: snapshot)
        let finding = try await locks.withLock(
            .reading([try Self.id(snapshot)], as: .read), observer: LoggingObserver(log: log)
        ) {
            try await DocumentLookup(location, width: Self.lookupWidth)
                .find(value, in: Namespace(database, collection))
        }
        guard let document = finding.document else {
            throw SnapshotError(.notFound, "there is no such document in that collection")
        }
        let encoded = try ExtendedJSONWriter().encoded(
            BSONValue(type: .document, bytes: document.bytes[...]))
        return (String(decoding: encoded.utf8, as: UTF8.self), encoded.invalidStringCount)
    }

    /// A snapshot's archive, to be taken away.
    ///
    /// - Throws: `SnapshotError` with `notFound`; `ArchiveError`.
    public func file(_ id: String) async throws -> SnapshotFile {
        try await checkExists(id)
        return try await SnapshotFile(id, in: catalog)
    }

    /// Holds a snapshot while it is read.
    ///
    /// - Throws: what `body` throws; `SnapshotError` when it is being removed.
    public func reading<Result>(
        _ file: SnapshotFile, _ body: @escaping () async throws -> Result
    ) async throws -> Result {
        let id = try Self.id(String(file.name.prefix { $0 != "." }))
        return try await locks.withLock(
            .reading([id], as: .read), observer: LoggingObserver(log: log), body)
    }

    /// - Throws: `MongoError` when the database server does not answer.
    public func checkServer() async throws {
        let pool = try settings.makePool(connectionCountMax: 1, isPatient: false)
        defer { pool.close() }
        // Whoever asks whether the service is ready does not wait for a server that hangs.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await pool.withConnection { try await $0.serverInfo() } }
            group.addTask {
                try await Task.sleep(for: Self.answerLimit)
                throw MongoError(
                    .serverSelection, "the server has not answered for \(Self.answerLimit)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static let answerLimit = Duration.seconds(4)

    /// - Throws: `ObjectStorageError` when the repository can't be read or written.
    public func checkRepository() async throws {
        _ = try await store.list()
        try await store.checkWritable()
    }

    /// Where a snapshot is.
    func location(of id: String) async throws -> ArchiveLocation {
        try await checkExists(id)
        return .snapshot(id, in: catalog)
    }

    /// - Throws: `SnapshotError` with `notFound` for what can't be a snapshot's name.
    static func id(_ text: String) throws -> SnapshotID {
        guard let id = SnapshotID(text) else {
            throw SnapshotError(.notFound, "there is no backup \(text)")
        }
        return id
    }
}

/// For what nobody follows: what is noticed is logged.
struct LoggingObserver: JobObserver {
    let log: any OperationsLog

    func progressed(_ progress: JobProgress) {}
    func noticed(_ message: String) { log.noticed(message, job: nil) }
}
