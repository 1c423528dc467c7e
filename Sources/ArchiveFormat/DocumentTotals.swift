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
        var offset = 0
        while offset < documents.count {
            add(try nextDocument(in: documents, at: &offset))
        }
        crc64 = CRC64.checksum(documents)
    }

    /// Adds what follows in the file.
    public mutating func append(_ following: DocumentTotals) {
        documentCount += following.documentCount
        crc64 = CRC64.combine(crc64, following.crc64, secondByteCount: following.byteCount)
        byteCount += following.byteCount
        fingerprint.add(following.fingerprint)
    }

    /// Adds a document to everything but the CRC-64, which is taken over a whole run at once.
    @inline(__always)
    mutating func add(_ document: UnsafeRawBufferPointer) {
        documentCount += 1
        byteCount += UInt64(document.count)
        fingerprint.add(document)
    }
}

/// The document that starts at `offset`, which is moved to its end.
///
/// - Throws: `malformed`.
@inline(__always)
func nextDocument(
    in bytes: UnsafeRawBufferPointer, at offset: inout Int
) throws(ArchiveError) -> UnsafeRawBufferPointer {
    do throws(BSONError) {
        let start = offset
        offset += try BSONFraming.documentByteCount(in: bytes, at: start)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    } catch {
        throw ArchiveError(.malformed, "a document is damaged: \(error)")
    }
}
