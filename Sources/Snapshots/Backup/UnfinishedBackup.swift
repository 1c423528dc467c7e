internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import ObjectStorage

/// What a killed backup has left, as far as it is whole and still valid. Its chunks are taken over
/// as they are; collections that it had completed are not read again, and the one that it was at is
/// read from the last document on, where that can be done exactly.
struct UnfinishedBackup: Sendable {
    /// How far a collection was read.
    struct Position: Sendable {
        let ordinal: UInt32
        let documentCount: Int64
        /// The last of the documents.
        let last: [UInt8]
    }

    let upload: UnfinishedUpload
    let draft: BackupDraft
    let kept: [KeptChunk]
    /// Where it was; nil when that collection is to be read from its beginning.
    let position: Position?
    /// Positions in the prelude of the collections that it had completed.
    let completed: Set<UInt32>
    private let source: ObjectSource
    private let ordinals: [Namespace: UInt32]

    /// - Parameter host: the server that is read now, where that is certain.
    /// - Returns: nil for what nobody can resume.
    /// - Throws: `ObjectStorageError`, `BSONError`, `ArchiveError`.
    init?(
        _ upload: UnfinishedUpload, _ draft: BackupDraft, host: String?, _ options: Backup.Options
    ) async throws {
        let source = ObjectSource(reader: upload.reader)
        guard
            let beginning = try await ArchiveSalvager.beginning(of: source, width: options.width)
        else { return nil }
        let names = draft.manifest.namespaces.map(\.descriptor.dataNamespace)
        let ordinals = Dictionary(
            names.enumerated().map { ($1, UInt32($0)) }, uniquingKeysWith: { first, _ in first })
        let chunks = beginning.chunks.filter { chunk in
            // An oplog is read anew.
            chunk.blocks.allSatisfy { ordinals[$0.header.namespace] != nil }
        }
        let completed = Set(
            chunks.flatMap(\.blocks).filter(\.header.isEnd)
                .compactMap { ordinals[$0.header.namespace] })
        let last = chunks.last { $0.ordinal(ordinals) != nil }
        let current = last.flatMap { $0.header.kind == .mixed ? nil : $0.ordinal(ordinals) }
        let open = current.flatMap { completed.contains($0) ? nil : $0 }
        var position: Position?
        if let open, let last, Self.canContinue(last, draft, host: host, options) {
            position = try await Self.position(open, chunks, ordinals, source)
        }
        kept = Self.kept(chunks, ordinals, leavingOut: position == nil ? open : nil)
        self.position = position
        self.upload = upload
        self.draft = draft
        self.completed = completed
        self.source = source
        self.ordinals = ordinals
    }

    /// Only as of the same instant, on the same server and in the order of storage are documents
    /// found in the same order again.
    private static func canContinue(
        _ chunk: ArchiveSalvager.WholeChunk, _ draft: BackupDraft, host: String?,
        _ options: Backup.Options
    ) -> Bool {
        guard case .instant = draft.moment, chunk.header.kind == .data else { return false }
        return options.readOrder == .natural && host != nil && host == draft.host
    }

    /// Chunks of documents, each with whether its namespace ends behind it.
    private static func kept(
        _ chunks: [ArchiveSalvager.WholeChunk], _ ordinals: [Namespace: UInt32],
        leavingOut open: UInt32?
    ) -> [KeptChunk] {
        chunks.indices.compactMap { index in
            let chunk = chunks[index]
            guard let ordinal = chunk.ordinal(ordinals) else { return nil }
            guard chunk.header.kind != .mixed else {
                return KeptChunk(chunk: chunk, closesNamespace: false)
            }
            guard ordinal != open else { return nil }
            let next = index + 1 < chunks.count ? chunks[index + 1].blocks.first?.header : nil
            let name = chunk.blocks.first?.header.namespace
            return KeptChunk(
                chunk: chunk, closesNamespace: next?.isEnd == true && next?.namespace == name)
        }
    }

    private static func position(
        _ open: UInt32, _ chunks: [ArchiveSalvager.WholeChunk], _ ordinals: [Namespace: UInt32],
        _ source: ObjectSource
    ) async throws -> Position? {
        let own = chunks.filter { $0.header.kind == .data && $0.ordinal(ordinals) == open }
        guard let chunk = own.last else { return nil }
        let decoded = try await decoded(chunk, source)
        let documents = try decoded.blocks.flatMap { block in
            try DocumentRun.split(decoded.bytes[block.documents])
        }
        guard let last = documents.last else { return nil }
        let count = own.reduce(0) { $0 + Int64($1.header.documentCount) }
        return Position(ordinal: open, documentCount: count, last: Array(last))
    }

    private static func decoded(
        _ chunk: ArchiveSalvager.WholeChunk, _ source: ObjectSource
    ) async throws -> DecodedChunk {
        let stored = try await source.read(
            at: chunk.offset, count: Int(chunk.header.storedByteCount))
        return try DecodedChunk(stored: stored, header: chunk.header)
    }

    /// A chunk as it is written to the new archive.
    ///
    /// - Throws: `ArchiveError` when it is not what it was a moment ago.
    func piece(_ kept: KeptChunk) async throws -> ArchiveWriter.Piece {
        try await kept.piece(from: source, ordinals)
    }
}

extension ArchiveSalvager.WholeChunk {
    /// The position in the prelude of the first namespace of which it may hold documents; nil for a
    /// chunk that is nothing but an end.
    fileprivate func ordinal(_ ordinals: [Namespace: UInt32]) -> UInt32? {
        blocks.first { !$0.header.isEnd }.flatMap { ordinals[$0.header.namespace] }
    }
}
