internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
public import DocumentQuery
internal import ObjectStorage

/// Finds the documents of one collection of an archive that match a filter. Chunks are decoded and
/// searched in parallel; what is found comes in the archive's order. Chunks whose `_id`s can't
/// match, by the index, are not read.
public struct DocumentSearch: Sendable {
    /// What to find and how.
    public struct Options: Sendable {
        public var filter: DocumentFilter
        /// The most documents to find, at least 1; nil for all.
        public var limit: UInt64?
        /// How found documents are written, and how many chunks are searched at once.
        public var output: Export.Options

        public init(filter: DocumentFilter, output: Export.Options) {
            self.filter = filter
            self.output = output
        }
    }

    /// What was found.
    public struct Report: Sendable {
        public var matchedCount: UInt64 = 0
        /// What one of them is: `document`, `bucket`, `user`, `role` or `change`.
        public var noun: String
        /// Documents that were looked at, up to the last one wanted.
        public var scannedCount: UInt64 = 0
        /// Bytes of the documents in the chunks that were read.
        public var scannedByteCount: UInt64 = 0
        /// Chunks with documents of the collection that were read.
        public var chunkCount: UInt64 = 0
        /// Chunks that, by the index, hold no `_id` which could match.
        public var skippedChunkCount: UInt64 = 0
        /// Bytes that were written.
        public var writtenByteCount: UInt64 = 0
        /// Strings and names of fields that are not UTF-8, and were written with U+FFFD in the
        /// place of each defect.
        public var invalidStringCount: UInt64 = 0
        public var seconds: Double = 0
    }

    private let location: ArchiveLocation
    private let namespace: Namespace
    private let options: Options
    private let observer: any JobObserver

    public init(
        _ location: ArchiveLocation, _ namespace: Namespace, options: Options,
        observer: any JobObserver
    ) {
        precondition(options.limit != 0, "a limit is at least 1")
        self.location = location
        self.namespace = namespace
        self.options = options
        self.observer = observer
    }

    /// Runs the search. When it throws, a file is not there; what went through a pipe can't be
    /// taken back.
    ///
    /// Unless chunks were skipped, or a limit ended it, all of the collection was read, and what
    /// the archive counts of it was compared.
    /// - Parameter destination: nil counts only.
    /// - Throws: `notFound` when there is no such collection, `ArchiveError` for a damaged archive,
    ///   `ObjectStorageError`, `CancellationError`.
    public func run(to destination: Export.Destination?) async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        var report =
            if let destination {
                try await destination.withSink { try await search($0) }
            } else {
                try await search(nil)
            }
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    private func search(_ sink: (any ObjectStorage.ByteSink)?) async throws -> Report {
        let archive = try await location.open()
        let reader = archive.reader
        let found = try ArchivedNamespace(namespace, in: reader)
        reader.select([found.ordinal])
        if let note = found.note { observer.noticed(note) }
        let plan = SearchPlan(archive.indexed, found, options.filter)
        let formatter = sink.map { _ in DocumentFormatter(options.output) }
        let limit = options.limit ?? .max
        let request = ChunkHits.Request(
            namespace: found.descriptor.dataNamespace, filter: options.filter, limit: limit,
            formatter: formatter)
        var report = Report(
            noun: found.noun, skippedChunkCount: plan.skippedChunkCount)
        var ledger = ArchiveLedger(reader.prelude)
        var waiting = plan.sequences?[...]
        func put(_ bytes: [UInt8]) async throws {
            guard let sink, !bytes.isEmpty else { return }
            try await sink.write(bytes)
            report.writtenByteCount += UInt64(bytes.count)
        }
        try await put(formatter?.head ?? [])
        try await withOrderedWindow(
            width: options.output.width, ahead: 1,
            next: {
                guard report.matchedCount < limit else { return nil }
                guard let chunks = plan.chunks else { return try await reader.next()?.toBecomeText }
                guard let sequence = waiting?.popFirst() else { return nil }
                return try await chunks.read(sequence).toBecomeText
            },
            transform: { (pending: PendingChunk) async throws -> ChunkHits in
                try ChunkHits(try pending.decoded(), request)
            },
            deliver: { searched in
                guard report.matchedCount < limit else { return }
                if plan.isWhole { try ledger.enter(searched.chunk) }
                let separator = report.matchedCount > 0 ? formatter?.separator : nil
                let text = report.take(searched, limit)
                if !text.isEmpty { try await put(separator ?? []) }
                try await put(text)
                observer.progressed(progress(report, plan))
            })
        if plan.isWhole, report.matchedCount < limit {
            try ledger.close(manifest: reader.manifest, selected: [found.ordinal])
        }
        try await put(formatter?.tail ?? [])
        return report
    }

    private func progress(_ report: Report, _ plan: SearchPlan) -> JobProgress {
        var progress = JobProgress(
            phase: .reading, byteCountTotal: plan.byteCount, subject: namespace.description)
        progress.documentCount = report.scannedCount
        progress.byteCount = report.scannedByteCount
        return progress
    }
}

extension DocumentSearch.Report {
    /// Counts a chunk's documents, up to the limit, and gives their text.
    fileprivate mutating func take(_ searched: ChunkHits, _ limit: UInt64) -> [UInt8] {
        guard searched.scannedCount > 0 else { return [] }
        chunkCount += 1
        scannedByteCount += searched.byteCount
        let wanted = limit - matchedCount
        guard searched.hits.count >= wanted else {
            matchedCount += UInt64(searched.hits.count)
            scannedCount += searched.scannedCount
            invalidStringCount += searched.text.invalidStringCount
            return searched.text.bytes
        }
        let last = searched.hits[Int(wanted) - 1]
        matchedCount = limit
        scannedCount += last.scannedCount
        invalidStringCount += last.invalidStringCount
        return Array(searched.text.bytes.prefix(last.textByteCount))
    }
}

/// Which chunks a search reads.
private struct SearchPlan {
    /// The archive's chunks; nil when it is read from its beginning.
    let chunks: IndexedChunks?
    /// Those to read of them, in the file's order.
    let sequences: [UInt32]?
    /// Chunks with documents of the namespace that are not read.
    let skippedChunkCount: UInt64
    /// Bytes of the documents in the chunks that are read; nil when unknown.
    let byteCount: UInt64?

    /// Whether all of the namespace is read.
    var isWhole: Bool { chunks == nil }

    /// - Parameter indexed: nil for an archive without an index.
    init(
        _ indexed: IndexedArchiveReader?, _ found: ArchivedNamespace, _ filter: DocumentFilter
    ) {
        let ordinal = found.ordinal
        guard let indexed else {
            self.init(nil, nil, skipped: 0, byteCount: nil)
            return
        }
        let chunks = indexed.chunks
        let all = chunks.candidates(ordinal) { _ in true }
        let wanted = chunks.candidates(ordinal) { filter.mayMatch(idsIn: $0) }
        guard wanted.count < all.count else {
            indexed.select([ordinal])
            let totals = indexed.index.manifest.namespaces[Int(ordinal)].totals
            self.init(nil, nil, skipped: 0, byteCount: totals.byteCount)
            return
        }
        self.init(
            chunks, wanted, skipped: UInt64(all.count - wanted.count),
            byteCount: wanted.map { chunks.index.rows[Int($0)].documentByteCount }.clampedSum())
    }

    private init(
        _ chunks: IndexedChunks?, _ sequences: [UInt32]?, skipped: UInt64, byteCount: UInt64?
    ) {
        self.chunks = chunks
        self.sequences = sequences
        skippedChunkCount = skipped
        self.byteCount = byteCount
    }
}
