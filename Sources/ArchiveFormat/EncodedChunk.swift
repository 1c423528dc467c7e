public import BSONBytes

/// What is known of some documents of one namespace, and how it adds up over chunks in file order.
public struct DocumentTotals: Hashable, Sendable {
    public var documentCount: UInt64 = 0
    public var byteCount: UInt64 = 0
    public var crc64: UInt64 = 0
    public var fingerprint = DocumentFingerprint()

    public init() {}

    /// Looks at each document of a run of documents once.
    ///
    /// - Throws: `malformed` when the run is not whole documents.
    public init(of documents: UnsafeRawBufferPointer) throws(ArchiveError) {
        var count: UInt64 = 0
        var sum = DocumentFingerprint()
        do {
            try BSONFraming.forEachDocument(in: documents) { document in
                count += 1
                sum.add(document)
            }
        } catch {
            throw ArchiveError(.malformed, "a document is damaged: \(error)")
        }
        documentCount = count
        byteCount = UInt64(documents.count)
        crc64 = CRC64.checksum(documents)
        fingerprint = sum
    }

    /// Adds what follows in the file.
    public mutating func append(_ following: DocumentTotals) {
        documentCount += following.documentCount
        crc64 = CRC64.combine(crc64, following.crc64, secondByteCount: following.byteCount)
        byteCount += following.byteCount
        fingerprint.add(following.fingerprint)
    }
}

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
        totals = try Self.totals(of: chunk)
        keys = chunk.kind == .data ? Self.keys(of: chunk) : nil
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

    private static func totals(
        of chunk: RawChunk
    ) throws(ArchiveError) -> [(namespaceOrdinal: UInt32, totals: DocumentTotals)] {
        var totals: [(UInt32, DocumentTotals)] = []
        for segment in chunk.segments {
            let outcome: Result<DocumentTotals, ArchiveError> = chunk.bytes.withUnsafeBytes {
                let documents = UnsafeRawBufferPointer(rebasing: $0[segment.documents])
                do throws(ArchiveError) {
                    return .success(try DocumentTotals(of: documents))
                } catch {
                    return .failure(error)
                }
            }
            totals.append((segment.namespaceOrdinal, try outcome.get()))
        }
        return totals
    }

    /// Smallest and largest key, or nil when a document has no `_id` or one that can't be read: it
    /// could be anything, so no range would be true. Contents are the server's business; they never
    /// stop a backup.
    private static func keys(of chunk: RawChunk) -> ClosedRange<DocumentKey>? {
        chunk.bytes.withUnsafeBytes { bytes in
            var range: ClosedRange<DocumentKey>?
            for segment in chunk.segments {
                var offset = segment.documents.lowerBound
                while offset < segment.documents.upperBound {
                    do throws(BSONError) {
                        let count = try BSONFraming.documentByteCount(in: bytes, at: offset)
                        let document = UnsafeRawBufferPointer(
                            rebasing: bytes[offset..<offset + count])
                        guard let key = try DocumentKey(document: document) else { return nil }
                        range =
                            range.map { min($0.lowerBound, key)...max($0.upperBound, key) }
                            ?? key...key
                        offset += count
                    } catch {
                        return nil
                    }
                }
            }
            return range
        }
    }
}
