public import ArchiveFormat
public import BSONBytes

/// A Cairn archive read by its index: opened with two reads, and only the chunks that are wanted
/// are read at all.
public final class IndexedArchiveReader: ArchiveReader {
    /// How much of the file's end the first read takes: a small archive's whole index is in it.
    private static let tailByteCount: UInt64 = 64 * 1024

    public let index: ArchiveIndex
    /// The hash that stands for the whole archive.
    public let seal: SHA256Digest
    private let source: any ByteSource
    private var rows: ArraySlice<IndexRow>
    private var sequence: UInt32 = 0
    private var wanted: Set<UInt32>?

    public var manifest: Manifest? { index.manifest }
    public var storedByteCount: UInt64? { source.byteCount }
    public var smallNamespaces: Set<UInt32> {
        let ordinals = index.manifest.namespaces.indices.filter { ordinal in
            guard let chunks = index.manifest.namespaces[ordinal].chunks, chunks.count == 1
            else { return false }
            return index.rows[Int(chunks.lowerBound)].kind == .mixed
        }
        return Set(ordinals.map { UInt32($0) })
    }
    public var prelude: ArchivePrelude {
        ArchivePrelude(
            serverVersion: index.manifest.source.serverVersion, toolVersion: index.manifest.tool,
            namespaces: index.manifest.namespaces.map(\.descriptor))
    }

    /// Opens an archive.
    ///
    /// - Throws: `truncated` when the file does not end in a trailer, `checksumMismatch` when the
    ///   index is damaged.
    public init(_ source: any ByteSource) async throws {
        let byteCount = source.byteCount
        let tailByteCount = min(Self.tailByteCount, byteCount)
        let tailOffset = byteCount - tailByteCount
        let tail = try await source.read(at: tailOffset, count: Int(tailByteCount))
        let (trailer, header) = try ArchiveTrailer.find(in: tail[...], fileByteCount: byteCount)
        let stored: [UInt8]
        if trailer.indexOffset >= tailOffset {
            let start = Int(trailer.indexOffset - tailOffset)
            stored = Array(tail[start..<start + Int(trailer.indexStoredByteCount)])
        } else {
            stored = try await source.read(
                at: trailer.indexOffset, count: Int(trailer.indexStoredByteCount))
        }
        do throws(ArchiveError) {
            index = try ArchiveIndex(stored: stored, trailer: trailer, header: header)
        } catch {
            throw error.located(offset: trailer.indexOffset)
        }
        seal = trailer.indexSHA256
        rows = index.rows[...]
        self.source = source
    }

    /// Reads only chunks with blocks of these namespaces, and the prelude.
    ///
    /// - Parameter ordinals: positions in the manifest.
    public func select(_ ordinals: Set<UInt32>) {
        wanted = ordinals
    }

    public func next() async throws -> PendingChunk? {
        while let row = rows.popFirst() {
            defer { sequence += 1 }
            guard isWanted(row, sequence) else { continue }
            return try await chunks.read(sequence)
        }
        return nil
    }

    /// Every chunk, at any place and from any task.
    public var chunks: IndexedChunks { IndexedChunks(index: index, source: source) }

    private func isWanted(_ row: IndexRow, _ sequence: UInt32) -> Bool {
        guard let wanted, row.kind != .prelude else { return true }
        guard row.namespaceOrdinal == ChunkHeader.noNamespace else {
            return wanted.contains(row.namespaceOrdinal)
        }
        return wanted.contains { ordinal in
            index.manifest.namespaces[Int(ordinal)].chunks?.contains(sequence) ?? false
        }
    }
}

/// The chunks of an archive whose index was read.
public struct IndexedChunks: Sendable {
    public let index: ArchiveIndex
    let source: any ByteSource

    /// Reads one chunk.
    ///
    /// - Parameter sequence: its place in the file, and of its row in the index.
    /// - Throws: `ArchiveError`, or what the source throws.
    public func read(_ sequence: UInt32) async throws -> PendingChunk {
        let row = index.rows[Int(sequence)]
        let stored = try await source.read(at: row.offset, count: Int(row.storedByteCount))
        do throws(ArchiveError) {
            guard let header = try Frame.header(at: stored[...]), header.sequence == sequence
            else { throw ArchiveError(.malformed, "no chunk where the index knows one") }
            return PendingChunk(stored: stored, header: header, row: row)
        } catch {
            throw error.located(chunk: sequence, offset: row.offset)
        }
    }

    /// Chunks that may hold a document of a namespace with an `_id` of that key.
    public func candidates(_ ordinal: UInt32, _ key: DocumentKey) -> [UInt32] {
        candidates(ordinal) { $0.contains(key) }
    }

    /// Chunks with documents of a namespace whose range of `_id`s passes; those without a known
    /// range are among them.
    ///
    /// - Parameter isWanted: called with the smallest and the largest key of a chunk.
    public func candidates(
        _ ordinal: UInt32, _ isWanted: (ClosedRange<DocumentKey>) -> Bool
    ) -> [UInt32] {
        guard let range = index.manifest.namespaces[Int(ordinal)].chunks else { return [] }
        return range.filter { sequence in
            let row = index.rows[Int(sequence)]
            guard row.kind != .end, row.documentCount > 0 else { return false }
            return row.keys.map(isWanted) ?? true
        }
    }
}
