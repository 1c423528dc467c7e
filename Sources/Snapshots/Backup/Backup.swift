internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
public import MongoDriver
internal import ObjectStorage

/// Takes a snapshot of a server: catalog → plan → read → chunk → compress → write in order → index
/// → sync → read back → publish. Until it returns there is no snapshot; when it throws, nothing is
/// left behind.
public struct Backup: Sendable {
    /// What to back up and how.
    public struct Options: Sendable {
        public var filter = NamespaceFilter()
        public var compression = Compression.standard
        /// Raw bytes that chunks are cut at, within `ArchiveLimits`.
        public var chunkTargetByteCount = ArchiveLimits.chunkTargetByteCountDefault
        /// How many chunks are compressed at once.
        public var width: Int
        /// How many cursors are read at once.
        public var readerCount = 2
        /// In which order large collections are read.
        public var readOrder = ReadOrder.natural
        /// How the collections come to be of one instant.
        public var consistency = Consistency.auto
        /// Holds the backup down; nil for as fast as can be.
        public var rateLimiter: RateLimiter?
        /// The kind in the snapshot's identifier.
        public var kind = "manual"
        /// The snapshot's identifier, for who must tell it before the backup runs; nil for a new
        /// one of that kind. A backup that resumes another keeps that one's.
        public var id: SnapshotID?
        /// What a person says about the snapshot: at most 1,024 bytes of UTF-8 without control
        /// characters. A backup that resumes another keeps that one's.
        public var description: String?
        /// Whether it resumes what a killed backup of the same has left.
        public var isResumed = false
        /// How long it tries again when the server is restarted or elects another primary, in
        /// seconds; 0 for not at all.
        public var enduranceSeconds = 0.0

        public init(width: Int) {
            self.width = width
        }

        /// About how many bytes of documents are read, and held, at once of a collection that is
        /// read by its `_id`s.
        var rangeByteCount: Int { 4 * chunkTargetByteCount }
    }

    /// In which order a collection is read that takes more than a reply.
    public enum ReadOrder: String, Sendable, CaseIterable {
        /// As it is stored, by one cursor: the least work for a server.
        case natural
        /// By its `_id`s, in ranges by all readers at once: more work for the server, worth it when
        /// it has cores that are idle. Collections that can't be divided are read as they are
        /// stored.
        case id
    }

    /// What was taken.
    public struct Report: Sendable {
        public var manifest: Manifest
        /// Key in the repository, or path of the file; nil for a pipe.
        public var place: String?
        public var storedByteCount: UInt64
        /// The hash that stands for the whole archive.
        public var seal: SHA256Digest
        public var seconds: Double
    }

    let pool: MongoPool
    let destination: ArchiveDestination
    let options: Options
    private let environment: JobEnvironment
    let observer: any JobObserver
    let endurance: Endurance

    public init(
        _ pool: MongoPool, to destination: ArchiveDestination, options: Options,
        environment: JobEnvironment, observer: any JobObserver
    ) {
        self.pool = pool
        self.destination = destination
        self.options = options
        self.environment = environment
        self.observer = observer
        endurance = Endurance(seconds: options.enduranceSeconds, observer: observer)
    }

    /// Runs the backup.
    ///
    /// - Throws: `MongoError`, `ObjectStorageError`, `ArchiveError`, `SnapshotError`,
    ///   `CancellationError`.
    public func run() async throws -> Report {
        try options.checkDescription()
        return try await pool.withNotices({ [observer] in observer.noticed($0) }) {
            try await runUntilDone()
        }
    }

    private func runUntilDone() async throws -> Report {
        var attempt = try await firstAttempt()
        var unfinished = options.isResumed ? try await findUnfinished() : nil
        var interruptionCount = 0
        while true {
            do {
                return try await runOnce(attempt.level, unfinished)
            } catch  where unfinished != nil && isOutOfDate(error) {
                observer.noticed(
                    "what the killed backup was reading no longer exists; starting again "
                        + "from the beginning: \(error)")
                unfinished = nil
            } catch  where isInterruption(error) {
                guard canResume(after: interruptionCount) else { throw tellingOfResumption(error) }
                interruptionCount += 1
                observer.noticed(
                    "the server was not available; resuming with what was read: \(error)")
                _ = try await endurance.run { _ in
                    try await pool.withConnection { try await $0.serverInfo() }
                }
                unfinished = try await findUnfinished()
            } catch {
                attempt = try self.attempt(after: error, in: attempt)
                unfinished = nil
            }
        }
    }

    private func runOnce(
        _ level: Level, _ unfinished: UnfinishedBackup?
    ) async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        let server = try await endurance.run { _ in
            try await pool.withConnection { try await $0.serverInfo() }
        }
        let catalog: SourceCatalog
        var manifest: Manifest
        if let unfinished {
            catalog = try unfinished.draft.catalog(server)
            manifest = unfinished.draft.manifest
        } else {
            catalog = try await SourceCatalog.read(pool, filter: options.filter, level)
            try checkSelection(catalog)
            manifest = draft(server)
        }
        let plan = BackupPlan(catalog)
        manifest.consistency = plan.consistency
        let draft = BackupDraft(manifest, plan, catalog, host: hostRead(server))
        manifest.namespaces = []
        let (summary, place) = try await destination.withArchive(
            draft.manifest.id, options.compression.codec, note: draft.bytes,
            resuming: unfinished?.upload, observer
        ) { [manifest] upload in
            try await archive(plan, manifest, unfinished, into: upload)
        }
        return Report(
            manifest: summary.index.manifest, place: place,
            storedByteCount: summary.storedByteCount, seal: summary.seal,
            seconds: start.duration(to: clock.now).inSeconds)
    }

    private func archive(
        _ plan: BackupPlan, _ manifest: Manifest, _ unfinished: UnfinishedBackup?,
        into upload: any ObjectStorage.ByteSink
    ) async throws -> ArchiveWriter.Summary {
        var writer = try ArchiveWriter(
            to: UploadSink(upload: upload), prelude: plan.prelude,
            options: ArchiveWriter.Options(
                compression: options.compression, width: options.width,
                chunkTargetByteCount: options.chunkTargetByteCount))
        var progress = JobProgress(phase: .reading)
        // Only for the progress: nothing waits for it, and it ends with the reading.
        let byteCountTotal = SizeEstimate()
        let oplog = plan.window.map { OplogCapture($0, pool, options) }
        async let _ = byteCountTotal.set(to: estimate(plan))
        var kept = (unfinished?.kept ?? [])[...]
        try await withProducer(capacity: 2) { send in
            try await read(plan, oplog, unfinished, send)
        } consume: { next in
            try await writer.write(pieces: {
                if let unfinished, let next = kept.popFirst() {
                    progress.documentCount += UInt64(next.chunk.header.documentCount)
                    progress.byteCount += next.chunk.header.documentByteCount
                    observer.progressed(progress)
                    return try await unfinished.piece(next)
                }
                let chunk = try await next()
                for segment in chunk?.segments ?? [] {
                    progress.documentCount += UInt64(segment.documentCount)
                    progress.byteCount += UInt64(segment.documents.count)
                    progress.subject =
                        plan.streams[Int(segment.namespaceOrdinal)].descriptor.namespace.description
                }
                progress.byteCountTotal = byteCountTotal.byteCount
                observer.progressed(progress)
                return chunk.map { .raw($0) }
            })
        }
        let entries = writer.entries
        try await endurance.run { _ in try await checkNothingVanished(plan, entries) }
        if let position = unfinished?.position {
            try await checkCount(
                plan.streams[Int(position.ordinal)],
                writer.entries[Int(position.ordinal)].totals.documentCount)
        }
        var manifest = manifest
        if let oplog { manifest.consistency = oplog.consistency }
        manifest.finishedAt = environment.now()
        return try await writer.finish(
            manifest, consistencies: plan.streams.map(\.consistency))
    }

    private func read(
        _ plan: BackupPlan, _ oplog: OplogCapture?, _ unfinished: UnfinishedBackup?,
        _ send: @escaping @Sendable (RawChunk) async throws -> Void
    ) async throws {
        let reader = NamespaceReader(
            pool: pool, options: options, observer: observer, endurance: endurance,
            position: unfinished?.position)
        var mixer = ChunkMixer(targetByteCount: options.chunkTargetByteCount, send: send)
        let completed = unfinished?.completed ?? []
        let streams = plan.collections.filter { !completed.contains($0.ordinal) }
        try await reader.read(streams[...]) { try await mixer.take($0) }
        if let oplog, let stream = plan.streams.last {
            // Nothing else may come behind the oplog.
            try await mixer.finish()
            try await oplog.read(stream) { try await mixer.take($0) }
        }
        try await mixer.finish()
    }

    private func draft(_ server: ServerInfo) -> Manifest {
        let id =
            options.id
            ?? SnapshotID(
                milliseconds: environment.now(), kind: options.kind, random: environment.random())
        var manifest = Manifest(
            id: id.description, tool: Tool.description, startedAt: environment.now(),
            source: Manifest.Source(
                hosts: pool.uri.hosts, serverVersion: server.versionString,
                replicaSet: server.setName),
            consistency: .none, selection: options.selection, compression: options.compression)
        manifest.description = options.description
        manifest.chunkTargetByteCount = options.chunkTargetByteCount
        return manifest
    }
}
