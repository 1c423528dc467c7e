public import BSONBytes

/// A compressed chunk with everything that the index and the manifest want to know of it.
public struct EncodedChunk: Sendable {
    /// The chunk's header; its sequence number is filled in when its place in the file is known.
    public private(set) var header: ChunkHeader
    /// The whole frame.
    public private(set) var stored: [UInt8]
    /// Totals of each namespace in the chunk, in their order.
    public let totals: [(namespaceOrdinal: UInt32, totals: DocumentTotals)]
    /// Smallest and largest `_id`, of a chunk of one namespace whose documents have one.
    public let keys: ClosedRange<DocumentKey>?
    public let closesNamespace: Bool

    /// Compresses and checksums a chunk: a pure function, run in parallel.
    ///
    /// - Throws: `malformed` when the chunk's documents are damaged, `codecFailed`,
    ///   `lengthOutOfBounds`.
    public init(
        _ chunk: RawChunk, sequence: UInt32, compression: Compression
    ) throws(ArchiveError) {
        var header = ChunkHeader(
            kind: chunk.kind, codec: compression.codec, sequence: sequence,
            namespaceOrdinal: chunk.namespaceOrdinal)
        let survey = try DocumentSurvey(
            of: chunk.bytes, chunk.segments, wantsKeys: chunk.kind == .data)
        totals = survey.totals
        keys = survey.keys
        var all = DocumentTotals()
        for entry in totals { all.append(entry.totals) }
        header.documentCount = UInt32(all.documentCount)
        header.documentByteCount = all.byteCount
        header.documentCRC64 = all.crc64
        header.blockCount = UInt32(chunk.blockCount)
        (self.header, stored) = try Frame.encode(
            chunk.bytes, header: header, level: compression.level)
        closesNamespace = chunk.closesNamespace
    }

    /// Takes over a chunk of another archive as it is stored, but for its place.
    ///
    /// - Parameters:
    ///   - stored: the whole frame that `content` was decoded from.
    ///   - ordinals: positions of the namespaces in the new archive's prelude, by the names that
    ///     blocks have.
    ///   - closesNamespace: whether it holds the last documents of its namespace.
    /// - Throws: `malformed` for a chunk that does not hold documents, or of a namespace without an
    ///   ordinal.
    public init(
        adopting stored: [UInt8], _ content: DecodedChunk, ordinals: [Namespace: UInt32],
        closesNamespace: Bool
    ) throws(ArchiveError) {
        guard var header = content.header,
            [.data, .special, .mixed].contains(header.kind)
        else { throw ArchiveError(.malformed, "only chunks of documents can be taken over") }
        var segments: [RawChunk.Segment] = []
        for block in content.blocks where !block.header.isEnd {
            guard let ordinal = ordinals[block.header.namespace] else {
                throw ArchiveError(.malformed, "a block's namespace is not in the prelude")
            }
            segments.append(
                RawChunk.Segment(
                    namespaceOrdinal: ordinal, documents: block.documents,
                    documentCount: Int(block.totals.documentCount)))
        }
        if header.namespaceOrdinal != ChunkHeader.noNamespace, let first = segments.first {
            header.namespaceOrdinal = first.namespaceOrdinal
        }
        let survey = try DocumentSurvey(
            of: content.bytes, segments, wantsKeys: header.kind == .data)
        totals = survey.totals
        keys = survey.keys
        self.header = header
        self.stored = stored
        self.closesNamespace = closesNamespace
    }

    /// The same chunk at another place of the file.
    public func moved(to sequence: UInt32) -> EncodedChunk {
        var moved = self
        moved.header.sequence = sequence
        Frame.putHead(moved.header, to: &moved.stored)
        return moved
    }
}

/// What one look at each document of a chunk tells.
private struct DocumentSurvey {
    var totals: [(namespaceOrdinal: UInt32, totals: DocumentTotals)] = []
    /// Nil also when a document has no `_id` or one that can't be read: it could be anything, so no
    /// range would be true. Contents are the server's business; they never stop a backup.
    var keys: ClosedRange<DocumentKey>?

    /// - Throws: `malformed` when the segments are not whole documents.
    init(
        of bytes: [UInt8], _ segments: [RawChunk.Segment], wantsKeys: Bool
    ) throws(ArchiveError) {
        var range = KeyRange(isWanted: wantsKeys)
        totals = try bytes.reading { bytes throws(ArchiveError) in
            var totals: [(UInt32, DocumentTotals)] = []
            for segment in segments {
                let documents = UnsafeRawBufferPointer(rebasing: bytes[segment.documents])
                totals.append(
                    (segment.namespaceOrdinal, try Self.totals(of: documents, &range)))
            }
            return totals
        }
        keys = range.keys
    }

    private static func totals(
        of documents: UnsafeRawBufferPointer, _ range: inout KeyRange
    ) throws(ArchiveError) -> DocumentTotals {
        var totals = DocumentTotals()
        var offset = 0
        while offset < documents.count {
            let document = try nextDocument(in: documents, at: &offset)
            totals.add(document)
            range.add(document)
        }
        totals.crc64 = CRC64.checksum(documents)
        return totals
    }
}

/// The smallest and the largest key so far.
private struct KeyRange {
    private var least: DocumentKey?
    private var greatest: DocumentKey?
    private var isWanted: Bool

    init(isWanted: Bool) {
        self.isWanted = isWanted
    }

    var keys: ClosedRange<DocumentKey>? {
        guard isWanted, let least, let greatest else { return nil }
        return least...greatest
    }

    mutating func add(_ document: UnsafeRawBufferPointer) {
        guard isWanted else { return }
        do throws(BSONError) {
            guard let key = try DocumentKey(document: document) else {
                isWanted = false
                return
            }
            if least.map({ key < $0 }) ?? true { least = key }
            if greatest.map({ $0 < key }) ?? true { greatest = key }
        } catch {
            isWanted = false
        }
    }
}
