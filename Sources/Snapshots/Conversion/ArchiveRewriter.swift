internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import ObjectStorage

/// Writes what a reader gives as a new archive, one namespace after another.
struct ArchiveRewriter: Sendable {
    let options: Conversion.Options
    let environment: JobEnvironment
    let observer: any JobObserver
    /// Takes what is wrong with the archive, and the rest is written all the same; with nil it is
    /// an error.
    let defects: Defects?

    /// - Throws: `ArchiveError`, what reading and writing throw.
    func write(
        _ reader: any ArchiveReader, as id: SnapshotID, into upload: any ObjectStorage.ByteSink
    ) async throws -> ArchiveWriter.Summary {
        let namespaces = reader.prelude.distinctNamespaces
        var prelude = reader.prelude
        prelude.namespaces = namespaces
        // What is written must be restored by mongorestore, too, which refuses anything else.
        if !prelude.statesServerVersion { prelude.serverVersion = ArchivePrelude.noServerVersion }
        var writer = try ArchiveWriter(
            to: UploadSink(upload: upload), prelude: prelude,
            options: ArchiveWriter.Options(
                compression: options.compression, width: options.width,
                chunkTargetByteCount: options.chunkTargetByteCount))
        let progress = ConversionProgress(reader, observer)
        // Used by the task that reads until that has ended, and only then by this one.
        nonisolated(unsafe) let source = reader
        let ledger = LedgerBox(ArchiveLedger(reader.prelude))
        let oplog = OplogSpan()
        try await withProducer(capacity: 2) { send in
            try await read(source, namespaces, (ledger, oplog), progress, send)
        } consume: { next in
            try await writer.write(next)
        }
        try close(ledger.value, reader)
        try check(writer.entries, against: ledger.value)
        // Of an archive that came through a pipe it is known only now.
        let manifest = draft(id, reader, oplog)
        return try await writer.finish(
            manifest, consistencies: reader.manifest?.namespaces.map(\.consistency) ?? [])
    }

    /// Reads, checks and sorts; sends chunks in file order.
    private func read(
        _ reader: any ArchiveReader, _ namespaces: [NamespaceDescriptor],
        _ accounts: (ledger: LedgerBox, oplog: OplogSpan), _ progress: ConversionProgress,
        _ send: @escaping @Sendable (RawChunk) async throws -> Void
    ) async throws {
        let ordinals = Dictionary(
            namespaces.enumerated().map { ($1.dataNamespace, $0) },
            uniquingKeysWith: { first, _ in first })
        guard ordinals.count == namespaces.count else {
            throw ArchiveError(.malformed, "the archive's prelude names a namespace twice")
        }
        var mixer = ChunkMixer(targetByteCount: options.chunkTargetByteCount, send: send)
        var sorter = NamespaceSorter(
            namespaces, targetByteCount: options.chunkTargetByteCount,
            spill: try ChunkSpill(folder: options.temporaryFolder))
        try await withOrderedWindow(
            width: options.width, next: { try await reader.next() },
            transform: { (pending: PendingChunk) async throws -> ConvertedChunk in
                ConvertedChunk(
                    chunk: try pending.decoded(), storedByteCount: pending.storedByteCount)
            },
            deliver: { converted in
                let chunk = converted.chunk
                try enter(chunk, accounts.ledger)
                for block in chunk.blocks {
                    guard let ordinal = ordinals[block.header.namespace] else { continue }
                    // Behind everything else, as it is in the archive that is read.
                    if namespaces[ordinal].isOplog {
                        try await mixer.finish()
                        try accounts.oplog.add(chunk.bytes[block.documents])
                    }
                    if block.header.isEnd {
                        try await sorter.end(ordinal) { try await mixer.take($0) }
                    } else {
                        try await sorter.take(chunk.bytes[block.documents], of: ordinal) {
                            try await mixer.take($0)
                        }
                    }
                }
                progress.add(converted)
            })
        try await sorter.finish { try await mixer.take($0) }
        try await mixer.finish()
    }

    private func enter(_ chunk: DecodedChunk, _ ledger: LedgerBox) throws(ArchiveError) {
        do throws(ArchiveError) {
            try ledger.value.enter(chunk)
        } catch {
            guard let defects, error.code == .checksumMismatch else { throw error }
            defects.damaged(chunk.blocks.map(\.header.namespace))
        }
    }

    private func close(_ ledger: ArchiveLedger, _ reader: any ArchiveReader) throws(ArchiveError) {
        guard let defects else { return try ledger.close(manifest: reader.manifest) }
        defects.cut(
            reader.prelude.distinctNamespaces.map(\.dataNamespace).filter { name in
                ledger.ordinals[name].map { !ledger.hasEnded($0) } ?? false
            })
    }

    /// The new archive must hold exactly what the old one did.
    private func check(
        _ entries: [Manifest.NamespaceEntry], against ledger: ArchiveLedger
    ) throws(ArchiveError) {
        for entry in entries {
            let name = entry.descriptor.dataNamespace
            let found = ledger.ordinals[name].map { ledger.totals(of: $0) } ?? DocumentTotals()
            guard entry.totals == found else {
                throw ArchiveError(
                    .checksumMismatch, "documents were not written as they were read",
                    namespace: name.description)
            }
        }
    }

    private func draft(
        _ id: SnapshotID, _ reader: any ArchiveReader, _ oplog: OplogSpan
    ) -> Manifest {
        let original = reader.manifest
        var manifest = Manifest(
            id: id.description, tool: Tool.description,
            startedAt: original?.startedAt ?? environment.now(),
            source: original?.source
                ?? Manifest.Source(
                    hosts: [], serverVersion: reader.prelude.serverVersion, replicaSet: nil),
            consistency: original?.consistency
                ?? (defects?.isEmpty ?? true ? oplog.consistency : .none),
            selection: original?.selection ?? Manifest.Selection(),
            compression: options.compression)
        manifest.finishedAt = original?.finishedAt ?? environment.now()
        manifest.description = original?.description
        manifest.loss = defects?.loss ?? original?.loss
        return manifest
    }
}

/// A chunk that was read, and what it took in the old archive.
struct ConvertedChunk: Sendable {
    var chunk: DecodedChunk
    var storedByteCount: Int
}

/// The ledger of an archive on its way from the task that reads to the one that writes.
///
/// Unchecked: the one uses it until it has ended, and only then the other.
final class LedgerBox: @unchecked Sendable {
    var value: ArchiveLedger

    init(_ value: ArchiveLedger) {
        self.value = value
    }
}

/// The time that the entries of an archive's oplog are of.
///
/// Unchecked: used by one task after the other.
final class OplogSpan: @unchecked Sendable {
    private var span: (start: BSONTimestamp, end: BSONTimestamp)?

    /// What an archive has that states nothing else.
    var consistency: Manifest.Consistency {
        span.map { .oplog(from: $0.start, to: $0.end) } ?? .none
    }

    /// Takes note of entries; they come in their order.
    ///
    /// - Throws: `BSONError` for what is no entry.
    func add(_ entries: ArraySlice<UInt8>) throws {
        let entries = try DocumentRun.split(entries)
        guard let first = entries.first, let last = entries.last else { return }
        let (start, end) = (try Self.time(first), try Self.time(last))
        span = (span?.start ?? start, end)
    }

    private static func time(_ entry: ArraySlice<UInt8>) throws -> BSONTimestamp {
        try BSONDocument(validating: Array(entry)).require("ts", \.timestamp)
    }
}

/// How far a conversion has come; used by one task.
final class ConversionProgress: @unchecked Sendable {
    private var progress: JobProgress
    private let countsStoredBytes: Bool
    private let observer: any JobObserver

    /// - Parameter reader: without a manifest it is measured by the file's own bytes.
    init(_ reader: any ArchiveReader, _ observer: any JobObserver) {
        countsStoredBytes = reader.manifest == nil
        progress = JobProgress(
            phase: .reading,
            byteCountTotal: reader.manifest?.documentByteCount ?? reader.storedByteCount)
        self.observer = observer
    }

    func add(_ converted: ConvertedChunk) {
        let totals = converted.chunk.blocks.reduce(into: DocumentTotals()) {
            $0.append($1.totals)
        }
        progress.documentCount += totals.documentCount
        progress.byteCount +=
            countsStoredBytes ? UInt64(converted.storedByteCount) : totals.byteCount
        observer.progressed(progress)
    }
}

extension ArchivePrelude {
    /// The namespaces, each once: of two equal ones the first counts, as for mongorestore.
    var distinctNamespaces: [NamespaceDescriptor] {
        var seen: Set<Namespace> = []
        return namespaces.filter { seen.insert($0.dataNamespace).inserted }
    }
}
