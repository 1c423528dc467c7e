internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import Synchronization

/// A collection of a snapshot, on its way through a comparison.
struct ArchivedDocuments: ComparedDocuments {
    let chunks: IndexedChunks
    let entry: Manifest.NamespaceEntry
    /// Chunks that hold documents of it.
    var sequences: [UInt32]
    private let recent: RecentChunk

    /// - Parameter recent: the same for collections that are read one after another, and may share
    ///   chunks.
    init(
        _ chunks: IndexedChunks, _ ordinal: UInt32, _ recent: RecentChunk = RecentChunk()
    ) {
        self.chunks = chunks
        self.recent = recent
        entry = chunks.index.manifest.namespaces[Int(ordinal)]
        sequences = (entry.chunks.map(Array.init) ?? []).filter { sequence in
            let row = chunks.index.rows[Int(sequence)]
            return row.kind != .end && row.documentCount > 0
        }
    }

    /// What two chunks have in common that hold the same documents in the same order; nil for one
    /// that holds several namespaces.
    struct Likeness: Hashable {
        let documentCount: UInt32
        let byteCount: UInt64
        let crc64: UInt64
    }

    func likeness(_ sequence: UInt32) -> Likeness? {
        let row = chunks.index.rows[Int(sequence)]
        guard row.kind != .mixed else { return nil }
        return Likeness(
            documentCount: row.documentCount, byteCount: row.documentByteCount,
            crc64: row.documentCRC64)
    }

    func documentCount(_ sequence: UInt32) -> UInt64 {
        UInt64(chunks.index.rows[Int(sequence)].documentCount)
    }

    /// Those of a shared chunk that belong to other collections included.
    var documentCount: UInt64 { sequences.reduce(0) { $0 + documentCount($1) } }

    func scan(
        part: Int, of count: Int, width: Int, _ take: (ComparedContent) async throws -> Void
    ) async throws {
        var waiting = sequences[...]
        try await withOrderedWindow(
            width: width, next: { waiting.popFirst().map(chunk) },
            transform: { (chunk: Chunk) async throws -> ComparedContent in
                try await content(chunk.sequence, part: part, of: count)
            },
            deliver: take)
    }

    /// A chunk that is to be read.
    struct Chunk: WeighedElement {
        let sequence: UInt32
        /// Stored and decoded.
        let heldByteCount: Int
    }

    /// A chunk and what it takes to read it.
    func chunk(_ sequence: UInt32) -> Chunk {
        let row = chunks.index.rows[Int(sequence)]
        return Chunk(
            sequence: sequence,
            heldByteCount: Int(clamping: row.storedByteCount) + Int(clamping: row.rawByteCount))
    }

    /// The documents of it that a chunk holds, or those of a part of all.
    ///
    /// - Throws: `ArchiveError` for a damaged chunk, `BSONError` for a damaged document.
    func content(
        _ sequence: UInt32, part: Int = 0, of count: Int = 1
    ) async throws -> ComparedContent {
        let chunk = try await decoded(sequence)
        return try ComparedContent(
            chunk.bytes, ranges(in: chunk), sequence: sequence, part: part, of: count)
    }

    /// The documents of it that a chunk holds, as runs of whole documents.
    ///
    /// - Throws: `ArchiveError` for a damaged chunk.
    func runs(_ sequence: UInt32) async throws -> [ArraySlice<UInt8>] {
        let chunk = try await decoded(sequence)
        return ranges(in: chunk).map { chunk.bytes[$0] }
    }

    private func decoded(_ sequence: UInt32) async throws -> DecodedChunk {
        guard chunks.index.rows[Int(sequence)].kind == .mixed else {
            return try await chunks.read(sequence).decoded()
        }
        if let chunk = recent[sequence] { return chunk }
        let chunk = try await chunks.read(sequence).decoded()
        recent[sequence] = chunk
        return chunk
    }

    private func ranges(in chunk: DecodedChunk) -> [Range<Int>] {
        let name = entry.descriptor.dataNamespace
        return chunk.blocks.filter { $0.header.namespace == name }.map(\.documents)
    }

    /// `_id`s of the first few documents.
    func firstIdentifiers(_ count: Int) async throws -> [BSONValue] {
        var found: [BSONValue] = []
        for sequence in sequences where found.count < count {
            let content = try await content(sequence)
            for entry in content.entries.prefix(count - found.count) {
                found.append(try content.identifier(entry.place))
            }
        }
        return found
    }
}

/// The last chunk that was decoded and is shared by several collections, so that not each of them
/// decodes it anew.
final class RecentChunk: Sendable {
    private let last = Mutex<(sequence: UInt32, chunk: DecodedChunk)?>(nil)

    subscript(sequence: UInt32) -> DecodedChunk? {
        get { last.withLock { $0?.sequence == sequence ? $0?.chunk : nil } }
        set { last.withLock { $0 = newValue.map { (sequence, $0) } } }
    }
}
