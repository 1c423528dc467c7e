internal import ArchiveFormat
internal import BSONBytes
internal import DocumentQuery

/// The documents of one chunk that match, written one after another.
struct ChunkHits: Sendable {
    /// How to search a chunk.
    struct Request: Sendable {
        let namespace: Namespace
        let filter: DocumentFilter
        /// The most documents to find; the search of the chunk ends with the last of them.
        let limit: UInt64
        /// How they are written; nil when they are only counted.
        let formatter: DocumentFormatter?
    }

    /// One document that matches.
    struct Hit: Sendable {
        /// How many documents of the namespace were looked at, this one included.
        let scannedCount: UInt64
        /// How far the text reaches that ends with it.
        let textByteCount: Int
        /// Strings of that text that are not UTF-8.
        let invalidStringCount: UInt64
    }

    let chunk: DecodedChunk
    private(set) var hits: [Hit] = []
    private(set) var text = DocumentFormatter.Text()
    /// Documents of the namespace that were looked at.
    private(set) var scannedCount: UInt64 = 0
    /// Bytes of the namespace's documents in the chunk.
    private(set) var byteCount: UInt64 = 0

    /// Searches a chunk: a pure function, run in parallel.
    ///
    /// - Throws: `ArchiveError` with `malformed` for a document that can't be read;
    ///   `CancellationError`.
    init(_ chunk: DecodedChunk, _ request: Request) throws {
        self.chunk = chunk
        do {
            try search(request)
        } catch let error as CancellationError {
            throw error
        } catch let error as QueryError {
            throw SnapshotError(.usage, "\(error)")
        } catch {
            throw ArchiveError(
                .malformed, "a document can't be read: \(error)",
                chunk: chunk.header?.sequence, namespace: request.namespace.description)
        }
    }

    private mutating func search(_ request: Request) throws {
        let matcher = request.filter.matcher()
        for block in chunk.blocks where block.header.namespace == request.namespace {
            byteCount += block.totals.byteCount
            try chunk.bytes.withUnsafeBytes { bytes in
                var offset = block.documents.lowerBound
                while offset < block.documents.upperBound, hits.count < request.limit {
                    if scannedCount % 64 == 0 { try Task.checkCancellation() }
                    let count = try BSONFraming.documentByteCount(in: bytes, at: offset)
                    let document = UnsafeRawBufferPointer(
                        rebasing: bytes[offset..<offset + count])
                    scannedCount += 1
                    if try matcher.matches(document) { try add(document, request.formatter) }
                    offset += count
                }
            }
        }
    }

    private mutating func add(
        _ document: UnsafeRawBufferPointer, _ formatter: DocumentFormatter?
    ) throws {
        if let formatter {
            if !text.bytes.isEmpty { text.bytes += formatter.separator }
            try formatter.append(document, to: &text)
        }
        hits.append(
            Hit(
                scannedCount: scannedCount, textByteCount: text.bytes.count,
                invalidStringCount: text.invalidStringCount))
    }
}
