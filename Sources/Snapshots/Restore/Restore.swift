internal import ArchiveEngine
public import ArchiveFormat
public import MongoDriver

/// Puts an archive back: open → plan → prepare → load → compare → replay → complete → commit. Up to
/// the commit the live data is as it was, and the commit of a collection is one rename. When it
/// throws, what it had loaded is removed.
public struct Restore: Sendable {
    /// What happens to what is there.
    public enum Mode: String, Sendable, CaseIterable {
        /// Afterwards each collection is exactly the snapshot's.
        case replace
        /// Missing documents are inserted, differing ones overwritten or kept, nothing is deleted.
        case merge
    }

    /// What a merge does with a live document that differs from the snapshot's of the same `_id`.
    public enum ConflictRule: String, Sendable, CaseIterable {
        /// It becomes the snapshot's.
        case overwrite
        /// It stays as it is.
        case keep
    }

    /// What to restore and how.
    public struct Options: Sendable {
        public var mode: Mode
        /// Of a merge; other modes have no conflicts.
        public var conflictRule = ConflictRule.overwrite
        public var filter = NamespaceFilter()
        /// The last one that fits a namespace counts.
        public var renames: [NamespaceRename] = []
        /// Whether users and roles come back, where the archive has them and they are selected.
        public var restoresUsersAndRoles = true
        /// Whether the oplog of an archive that has one is replayed, which takes a replacing
        /// restore of everything under its own name.
        public var replaysOplog = true
        /// How many chunks are decoded at once.
        public var width: Int
        /// How many chunks are written at once, each on a connection of its own. Two keep a server
        /// busy that shares two cores with the restore; on a larger one more do.
        public var writerCount = 2
        /// How many small collections' transactions and renames are under way at once: a server
        /// does not work on those but waits for its disk.
        var waitingWriterCount: Int { 2 * writerCount }
        /// How many connections it is good to have.
        public var connectionCount: Int { waitingWriterCount + 1 }
        /// The most documents of one insert.
        public var batchDocumentCount = 1000
        /// Holds the restore down; nil for as fast as can be.
        public var rateLimiter: RateLimiter?

        public init(mode: Mode, width: Int) {
            self.mode = mode
            self.width = width
        }
    }

    private let pool: MongoPool
    private let location: ArchiveLocation
    private let options: Options
    private let observer: any JobObserver

    /// - Parameter pool: with at least two connections, and better `options.connectionCount`.
    public init(
        _ location: ArchiveLocation, to pool: MongoPool, options: Options,
        observer: any JobObserver
    ) {
        precondition(pool.connectionCountMax >= 2, "a restore reads and writes at once")
        self.location = location
        self.pool = pool
        self.options = options
        self.observer = observer
    }

    /// Runs the restore.
    ///
    /// - Throws: `ArchiveError` for a damaged archive, `MongoError`, `SnapshotError`,
    ///   `ObjectStorageError`, `CancellationError`. Documents that a server refused during a merge
    ///   are in the report instead.
    public func run() async throws -> RestoreReport {
        let clock = ContinuousClock()
        let start = clock.now
        let reader = try await openChecked()
        let server = try await pool.withConnection { try await $0.serverInfo() }
        let context = RestoreContext(
            pool: pool, server: server, observer: observer,
            batchDocumentCount: options.batchDocumentCount,
            pacer: WritePacer(limiter: options.rateLimiter, observer: observer))
        let plan = try await RestorePlan(reader, options, context)
        if let indexed = reader as? IndexedArchiveReader { indexed.select(plan.selected) }
        try await StagingJanitor.clean(plan.databases, context)
        let job = RestoreJob(plan: plan, reader: reader, options: options, context: context)
        var report = try await job.run()
        report.manifest = reader.manifest
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    /// Opens the archive. A merge writes to live collections as it reads, so an archive without
    /// checksums of its chunks is read to its end once before, where it can be.
    private func openChecked() async throws -> any ArchiveReader {
        let reader = try await location.open()
        guard options.mode == .merge, reader.manifest == nil, location.isSeekable else {
            return reader
        }
        _ = try await ArchiveVerifier.verify(reader, width: options.width)
        return try await location.open()
    }
}

/// What a restore did.
public struct RestoreReport: Sendable {
    /// A namespace that was restored.
    public struct Entry: Sendable {
        /// Its name in the archive.
        public var source: Namespace
        /// Its name on the server.
        public var target: Namespace
        public var type: NamespaceType
        public var outcome: LoadOutcome
    }

    /// The archive's manifest; nil for archives of other tools.
    public var manifest: Manifest?
    public var entries: [Entry] = []
    /// Entries of the archive's oplog that were replayed; nil when it has none or it was left out.
    public var replayedCount: UInt64?
    /// Bytes that were read from the archive.
    public var storedByteCount: UInt64 = 0
    public var seconds: Double = 0

    /// Sums over all namespaces.
    public var outcome: LoadOutcome {
        entries.reduce(into: LoadOutcome()) { $0.add($1.outcome) }
    }
}

/// What became of documents.
public struct LoadOutcome: Hashable, Sendable {
    /// Documents of the archive that were handled.
    public var documentCount: UInt64 = 0
    /// Their bytes.
    public var byteCount: UInt64 = 0
    public var insertedCount: UInt64 = 0
    public var overwrittenCount: UInt64 = 0
    /// Live documents that differ and were to be kept.
    public var keptCount: UInt64 = 0
    /// Documents that were there already, byte for byte; users and roles, by name.
    public var equalCount: UInt64 = 0
    /// Documents that the server refused.
    public var failedCount: UInt64 = 0
    /// The first reason for a refusal.
    public var firstFailure: String?

    public init() {}

    /// Adds what became of other documents.
    public mutating func add(_ other: LoadOutcome) {
        documentCount += other.documentCount
        byteCount += other.byteCount
        insertedCount += other.insertedCount
        overwrittenCount += other.overwrittenCount
        keptCount += other.keptCount
        equalCount += other.equalCount
        failedCount += other.failedCount
        firstFailure = firstFailure ?? other.firstFailure
    }
}

/// What every part of a restore needs.
struct RestoreContext: Sendable {
    let pool: MongoPool
    let server: ServerInfo
    let observer: any JobObserver
    let batchDocumentCount: Int
    let pacer: WritePacer
}

extension Duration {
    /// The same as a number of seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
