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
        public var documentCount: Int
    }

    /// Finds the blocks in `raw`, which must be whole blocks one after another.
    ///
    /// Cost: a few loads a document; documents are not copied.
    /// - Throws: `malformed`.
    public static func blocks(in raw: [UInt8]) throws(ArchiveError) -> [Block] {
        let outcome: Result<[Block], ArchiveError> = raw.withUnsafeBytes { bytes in
            do throws(ArchiveError) {
                var blocks: [Block] = []
                var offset = 0
                while offset < bytes.count {
                    blocks.append(try block(in: bytes, at: &offset))
                }
                return .success(blocks)
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private static func block(
        in bytes: UnsafeRawBufferPointer, at offset: inout Int
    ) throws(ArchiveError) -> Block {
        do {
            let headerByteCount = try BSONFraming.documentByteCount(in: bytes, at: offset)
            let header = try Header(
                BSONDocument(validating: Array(bytes[offset..<offset + headerByteCount])))
            offset += headerByteCount
            let start = offset
            var documentCount = 0
            while !isTerminator(in: bytes, at: offset) {
                offset += try BSONFraming.documentByteCount(in: bytes, at: offset)
                documentCount += 1
            }
            let documents = start..<offset
            offset += terminator.count
            guard !header.isEnd || documentCount == 0 else {
                throw ArchiveError(.malformed, "an end block holds documents")
            }
            return Block(header: header, documents: documents, documentCount: documentCount)
        } catch let error as ArchiveError {
            throw error
        } catch {
            throw ArchiveError(.malformed, "a block is damaged: \(error)")
        }
    }

    static func isTerminator(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        bytes.count - offset >= 4
            && bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == .max
    }
}
