/// A chunk's content after every check that can be made on the chunk alone.
public struct DecodedChunk: Sendable {
    public var bytes: [UInt8]
    public var blocks: [MongodumpBlock.Block]
    /// The chunk's header; nil for a run of documents out of a foreign archive.
    public var header: ChunkHeader?

    /// Decodes and checks a stored chunk: a pure function, run in parallel.
    ///
    /// - Throws: `checksumMismatch`, `codecFailed`, `malformed`, each with the chunk's number.
    public init(stored: [UInt8], header: ChunkHeader) throws(ArchiveError) {
        do throws(ArchiveError) {
            bytes = try Frame.decode(stored, header: header)
            self.header = header
            blocks = []
            guard header.kind != .prelude else { return }
            blocks = try MongodumpBlock.blocks(in: bytes)
            try checkTotals(against: header)
        } catch {
            throw error.located(chunk: header.sequence)
        }
    }

    /// Takes documents out of a foreign archive, or, without any, the end of a namespace.
    ///
    /// - Throws: `malformed` when the bytes are not whole documents.
    public init(header: MongodumpBlock.Header, documents: [UInt8]) throws(ArchiveError) {
        bytes = documents
        let totals = try documents.reading(DocumentTotals.init(of:))
        blocks = [
            MongodumpBlock.Block(
                header: header, documents: 0..<documents.count, totals: totals)
        ]
    }

    private func checkTotals(against header: ChunkHeader) throws(ArchiveError) {
        var totals = DocumentTotals()
        for block in blocks { totals.append(block.totals) }
        guard blocks.count == Int(header.blockCount),
            totals.documentCount == UInt64(header.documentCount),
            totals.byteCount == header.documentByteCount,
            totals.crc64 == header.documentCRC64
        else {
            throw ArchiveError(
                .checksumMismatch, "the documents are not those that the chunk's header counts")
        }
    }
}
