internal import Dispatch
internal import GRDB
internal import Glibc
internal import Synchronization

/// What a service remembers: jobs and their events, idempotency keys, the audit log, schedules; in
/// an SQLite database in a folder of its own.
///
/// Every change is one transaction, on stable storage when its method returns (`synchronous=FULL`),
/// and is made whole whether or not the calling task has been cancelled: the end of a cancelled job
/// must be written down too. Reads see the last change that was finished. Methods may be called
/// from any task; changes are made one after the other.
///
/// Instants are milliseconds since 1970-01-01 00:00 UTC and come from the caller.
public final class StateStore: Sendable {
    /// The folder as it was given.
    public let folder: String
    /// Whether nothing may be changed.
    public let isReadOnly: Bool

    /// The audit log's head outside the database.
    let headFile: AuditHeadFile
    private let database: DatabasePool
    private let lock: FolderLock?
    private let isClosed = Mutex(false)
    /// A failure that writes shall meet, for tests.
    let fault = Mutex<WriteFault?>(nil)

    /// Opens the state in a folder, which is made when it is missing, and brings an older database
    /// up to date. Claims of idempotency keys that a dead process has left without a job are given
    /// up: see `claim`.
    ///
    /// - Parameter isReadOnly: looks at a database that may be in use, without the lock.
    /// - Throws: `StateError`; `.locked` names the process that has the folder, `.newerSchema` is
    ///   for a database of a newer version, `.olderSchema` for one that is to be read only.
    public init(folder: String, isReadOnly: Bool = false) async throws {
        self.folder = folder
        self.isReadOnly = isReadOnly
        let opened = try await Self.onThread(in: folder) {
            isReadOnly ? try Opened(reading: folder) : try Opened(folder)
        }
        (database, lock, headFile) = (opened.database, opened.lock, opened.headFile)
    }

    deinit {
        close()
    }

    /// Lets database and folder go; to be called when nothing uses the store any more. What is
    /// called afterwards fails with `StateError(.closed)`.
    public func close() {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        do {
            try database.close()
        } catch {
            // Every change was on stable storage when it was made, so that nothing is lost; what
            // is left of the write-ahead log is read by the next opening.
        }
        lock?.release()
    }
}

extension StateStore {
    /// Checks that changes can be made, by making one that means nothing: it is as large as an
    /// entry of the audit log usually is, and takes the place of the one before.
    ///
    /// - Throws: `StateError` when the folder is gone, full, or may not be written, or another
    ///   process keeps the database from being written.
    public func checkWritable() async throws {
        let folder = folder
        try await write { database in
            guard access(folder, W_OK | X_OK) == 0 else {
                throw StateError("cannot write to", path: folder, errno: errno)
            }
            try database.execute(
                sql: "INSERT OR REPLACE INTO write_probe (id, bytes) VALUES (1, zeroblob(?))",
                arguments: [StateLimits.probeByteCount])
        } then: { [headFile] in
            try headFile.catchUp()
        }
    }

    /// Bytes that can still be written where the state is; nil when nobody knows.
    public var freeByteCount: UInt64? { StateFolder(path: folder).freeByteCount }
}

/// A failure of writes as a disk has them, for tests.
struct WriteFault {
    let code: StateError.Code
    /// How many writes succeed before.
    var passCount = 0

    /// What the next write meets; nil for nothing.
    mutating func next() -> StateError.Code? {
        guard passCount > 0 else { return code }
        passCount -= 1
        return nil
    }
}

// MARK: Access for the store's extensions

extension StateStore {
    /// Changes the database in one transaction.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await write(body) { $0 }
    }

    /// Changes the database in one transaction, and does something right behind it before anyone
    /// else changes anything. The change stands when that fails.
    func write<Value: Sendable, Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value,
        then finish: @escaping @Sendable (Value) throws -> Result
    ) async throws -> Result {
        guard !isReadOnly else {
            throw StateError(.readOnly, "\(folder) was opened for reading only")
        }
        try requireOpen()
        if let code = fault.withLock({ $0?.next() ?? nil }) {
            throw StateError(code, "a failure that a test wants")
        }
        let folder = folder
        return try await withCheckedThrowingContinuation { continuation in
            database.asyncWriteWithoutTransaction { database in
                do {
                    let value = try database.inTransactionReturning(body)
                    continuation.resume(returning: try finish(value))
                } catch {
                    continuation.resume(throwing: StateError.wrapping(error, in: folder))
                }
            }
        }
    }

    /// Reads the database, as of one moment.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try requireOpen()
        let folder = folder
        return try await withCheckedThrowingContinuation { continuation in
            database.asyncRead { result in
                do {
                    continuation.resume(returning: try body(result.get()))
                } catch {
                    continuation.resume(throwing: StateError.wrapping(error, in: folder))
                }
            }
        }
    }

    /// The same for reads that take long, which end with an error when the task is cancelled.
    func readCancellably<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try requireOpen()
        do {
            return try await database.read(body)
        } catch {
            throw StateError.wrapping(error, in: folder)
        }
    }

    private func requireOpen() throws {
        guard !isClosed.withLock({ $0 }) else {
            throw StateError(.closed, "the state in \(folder) is closed")
        }
    }

    /// Runs what blocks on a thread that may.
    ///
    /// - Parameter folder: where the state is.
    static func onThread<Value: Sendable>(
        in folder: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "cairn.state.open").async {
                do {
                    continuation.resume(returning: try body())
                } catch {
                    continuation.resume(throwing: StateError.wrapping(error, in: folder))
                }
            }
        }
    }
}

// MARK: Opening

/// The parts of a store once it is open.
private struct Opened {
    let database: DatabasePool
    let lock: FolderLock?
    let headFile: AuditHeadFile

    /// Opens or makes the state in a folder.
    init(_ path: String) throws {
        let folder = StateFolder(path: path)
        try folder.prepare()
        lock = try FolderLock(folder: path)
        database = try DatabasePool(
            path: folder.databasePath, configuration: Self.configuration(isReadOnly: false))
        // The pool chooses NORMAL, which may lose the last changes in a power cut.
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try StateSchema.migrate(database)
        headFile = AuditHeadFile(path: folder.auditHeadPath)
        try database.write { database in
            try StateStore.giveUpAbandonedClaims(database)
            try headFile.open(database)
        }
        try folder.sync()
    }

    /// Opens what is there for reading.
    init(reading path: String) throws {
        let folder = StateFolder(path: path)
        try folder.requireDatabase()
        lock = nil
        database = try DatabasePool(
            path: folder.databasePath, configuration: Self.configuration(isReadOnly: true))
        try StateSchema.requireCurrent(database)
        headFile = AuditHeadFile(path: folder.auditHeadPath)
    }

    private static func configuration(isReadOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.label = "cairn.state"
        configuration.readonly = isReadOnly
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 3
        return configuration
    }
}

extension Database {
    /// Runs `body` in a transaction that is undone when it throws.
    fileprivate func inTransactionReturning<Value>(
        _ body: (Database) throws -> Value
    ) throws -> Value {
        try beginTransaction(.immediate)
        do {
            let value = try body(self)
            try commit()
            return value
        } catch {
            // A commit that fails, on a full disk for example, may or may not have ended it. What
            // failed first says more than a rollback that fails too.
            if isInsideTransaction {
                do { try rollback() } catch {}
            }
            throw error
        }
    }
}
