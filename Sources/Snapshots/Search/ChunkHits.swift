internal import ArchiveFormat
internal import BSONBytes
internal import DocumentQuery

/// The documents of one chunk that match, spelt one behind the other.
struct ChunkHits: Sendable {
    /// How to search a chunk.
    struct Request: Sendable {
        let namespace: Namespace
        let filter: DocumentFilter
        /// The most documents to find; the search of the chunk ends with the last of them.
        let limit: UInt64
        /// How they are spelt; nil when they are only counted.
        let speller: DocumentSpeller?
    }

    /// One document that matches.
    struct Hit: Sendable {
        /// How many documents of the namespace were looked at, this one included.
        let scannedCount: UInt64
        /// How far the text reaches that ends with it.
        let textByteCount: Int
    }

    let chunk: DecodedChunk
    private(set) var hits: [Hit] = []
    private(set) var text: [UInt8] = []
    /// Documents of the namespace that were looked at.
    private(set) var scannedCount: UInt64 = 0
    /// Bytes of the namespace's documents in the chunk.
    private(set) var byteCount: UInt64 = 0

    /// Searches a chunk: a pure function, run in parallel.
    ///
    /// - Throws: `ArchiveError` with `malformed` for a document that can't be read.
    init(_ chunk: DecodedChunk, _ request: Request) throws(ArchiveError) {
        self.chunk = chunk
        do {
            try search(request)
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
                    let count = try BSONFraming.documentByteCount(in: bytes, at: offset)
                    let document = UnsafeRawBufferPointer(
                        rebasing: bytes[offset..<offset + count])
                    scannedCount += 1
                    if try matcher.matches(document) { try add(document, request.speller) }
                    offset += count
                }
            }
        }
    }

    private mutating func add(
        _ document: UnsafeRawBufferPointer, _ speller: DocumentSpeller?
    ) throws {
        if let speller {
            if !text.isEmpty { text += speller.separator }
            text += try speller.spelt(document)
        }
        hits.append(Hit(scannedCount: scannedCount, textByteCount: text.count))
    }
}
