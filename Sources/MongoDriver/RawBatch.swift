public import BSONBytes
import CMongoC

/// The documents of one reply of a cursor, where the network layer put them: up to 16 MiB that are
/// walked but never copied. Immutable; freed when the last reference goes.
public final class RawBatch: Sendable {
    private let reply: Reply
    /// Where the array of documents lies in the reply, its length and terminator included.
    private let array: Range<Int>

    /// - Parameter name: `firstBatch` or `nextBatch`; nil is returned when there is none.
    init?(_ reply: Reply, named name: String) {
        let whole = reply.bytes
        let range = reply.withElement(at: "cursor.\(name)") { element -> Range<Int>? in
            guard bson_iter_type(element) == BSON_TYPE_ARRAY, let base = whole.baseAddress else {
                return nil
            }
            var count: UInt32 = 0
            var start: UnsafePointer<UInt8>?
            bson_iter_array(element, &count, &start)
            guard let start else { return nil }
            let offset = UnsafeRawPointer(start) - base
            return offset..<offset + Int(count)
        }
        guard let range, range.count >= BSONLimits.documentByteCountMin else { return nil }
        self.reply = reply
        array = range
    }

    /// Bytes of the documents with what the array wraps around each.
    public var byteCount: Int { array.count - BSONLimits.documentByteCountMin }

    /// Whether it is so large that the next one is better asked for when this one is done with.
    public var isLarge: Bool { byteCount > Self.largeByteCountMin }

    private static let largeByteCountMin = 6 * 1024 * 1024

    /// Whether there is no document.
    public var isEmpty: Bool { byteCount == 0 }

    /// Documents that `typicalByteCount` looks at.
    private static let sampleCountMax = 64

    /// About how many bytes one document has, by the first ones; nil when there is none. Broken
    /// framing is for those to report who read the documents.
    var typicalByteCount: Int? {
        let bytes = UnsafeRawBufferPointer(rebasing: reply.bytes[array])
        var offset = 4
        var count = 0
        do {
            while count < Self.sampleCountMax,
                let document = try Self.document(in: bytes, after: offset)
            {
                offset = document.upperBound
                count += 1
            }
        } catch { return nil }
        return count == 0 ? nil : offset / count
    }

    /// Calls `body` with the bytes of each document, in order. They live only during the call.
    ///
    /// Cost: a few loads a document; no allocation, no C call.
    /// - Throws: `BSONError` when the reply's framing is broken, and what `body` throws.
    public func forEachDocument(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let bytes = UnsafeRawBufferPointer(rebasing: reply.bytes[array])
        var offset = 4
        while let document = try Self.document(in: bytes, after: offset) {
            try body(UnsafeRawBufferPointer(rebasing: bytes[document]))
            offset = document.upperBound
        }
    }

    /// The documents as values of their own, for cursors that list a few.
    ///
    /// - Throws: `BSONError` when the reply's framing is broken.
    public func documents() throws -> [BSONDocument] {
        var documents: [BSONDocument] = []
        try forEachDocument { bytes in
            documents.append(
                try BSONDocument(validating: Array(bytes), limit: BSONLimits.replyByteCountMax))
        }
        return documents
    }

    /// Where the next document of an array lies; nil at the end.
    @inline(__always)
    private static func document(
        in bytes: UnsafeRawBufferPointer, after start: Int
    ) throws(BSONError) -> Range<Int>? {
        let end = bytes.count - 1
        var offset = start
        guard offset < end else { return nil }
        guard bytes[offset] == BSONType.document.rawValue else {
            throw BSONError(.unexpectedField, "the batch holds what is no document", at: offset)
        }
        offset += 1
        while offset < end, bytes[offset] != 0 { offset += 1 }
        let count = try BSONFraming.documentByteCount(
            in: UnsafeRawBufferPointer(rebasing: bytes[..<end]), at: offset + 1,
            limit: BSONLimits.replyByteCountMax)
        return offset + 1..<offset + 1 + count
    }
}
