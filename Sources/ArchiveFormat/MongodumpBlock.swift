public import BSONBytes

/// The units of mongodump's archive: a namespace header, documents, a terminator
/// (`formats/archive.md`, section 5).
public enum MongodumpBlock {
    /// The first four bytes of the archive.
    public static let magic: [UInt8] = [0x6D, 0xE2, 0x99, 0x81]
    /// Ends the prelude and every block; no document's length.
    public static let terminator: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]

    /// The header in front of a block. mongorestore from 100.14 refuses any other field.
    public struct Header: Hashable, Sendable {
        /// The namespace whose data follows: for a time series its buckets.
        public var namespace: Namespace
        /// Whether the block ends the namespace; it then has no documents.
        public var isEnd: Bool
        /// In an end block the CRC-64 of all the namespace's documents in file order, otherwise 0.
        public var crc64: UInt64

        public init(_ namespace: Namespace, isEnd: Bool = false, crc64: UInt64 = 0) {
            self.namespace = namespace
            self.isEnd = isEnd
            self.crc64 = crc64
        }

        public var document: BSONDocument {
            BSONDocument {
                $0.append("db", namespace.database)
                $0.append("collection", namespace.collection)
                $0.append("EOF", isEnd)
                $0.append("CRC", Int64(bitPattern: crc64))
            }
        }

        /// Reads a header as mongodump and its kin write it; absent `EOF` and `CRC` mean false and
        /// 0.
        ///
        /// - Throws: `malformed`.
        public init(_ document: BSONDocument) throws(ArchiveError) {
            do {
                namespace = Namespace(
                    try document.require("db", \.string),
                    try document.require("collection", \.string))
                isEnd = try document.first("EOF")?.bool ?? false
                crc64 = UInt64(bitPattern: try document.first("CRC")?.int64 ?? 0)
            } catch {
                throw ArchiveError(.malformed, "a namespace header is damaged: \(error)")
            }
            guard !namespace.collection.isEmpty else {
                throw ArchiveError(.malformed, "a namespace header names no collection")
            }
        }
    }

    /// A block inside a decoded chunk.
    public struct Block: Hashable, Sendable {
        public var header: Header
        /// Where its documents are in the decoded bytes.
        public var documents: Range<Int>
        /// What they add up to.
        public var totals: DocumentTotals
    }

    /// Finds the blocks in `raw`, which must be whole blocks one after another, and looks at each
    /// of their documents once.
    ///
    /// - Throws: `malformed`.
    public static func blocks(in raw: [UInt8]) throws(ArchiveError) -> [Block] {
        try raw.reading { bytes throws(ArchiveError) in
            var blocks: [Block] = []
            var offset = 0
            while offset < bytes.count {
                blocks.append(try block(in: bytes, at: &offset))
            }
            return blocks
        }
    }

    private static func block(
        in bytes: UnsafeRawBufferPointer, at offset: inout Int
    ) throws(ArchiveError) -> Block {
        let header = try header(in: bytes, at: &offset)
        let start = offset
        var totals = DocumentTotals()
        while !isTerminator(in: bytes, at: offset) {
            totals.add(try nextDocument(in: bytes, at: &offset))
        }
        let documents = start..<offset
        totals.crc64 = CRC64.checksum(UnsafeRawBufferPointer(rebasing: bytes[documents]))
        offset += terminator.count
        guard !header.isEnd || documents.isEmpty else {
            throw ArchiveError(.malformed, "an end block holds documents")
        }
        return Block(header: header, documents: documents, totals: totals)
    }

    private static func header(
        in bytes: UnsafeRawBufferPointer, at offset: inout Int
    ) throws(ArchiveError) -> Header {
        let document: BSONDocument
        do throws(BSONError) {
            let byteCount = try BSONFraming.documentByteCount(in: bytes, at: offset)
            document = try BSONDocument(
                validating: Array(bytes[offset..<offset + byteCount]))
            offset += byteCount
        } catch {
            throw ArchiveError(.malformed, "a namespace header is damaged: \(error)")
        }
        return try Header(document)
    }

    static func isTerminator(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        bytes.count - offset >= 4
            && bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == .max
    }
}
