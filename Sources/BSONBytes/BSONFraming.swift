/// The walk from document to document and from element to element: lengths and terminators only.
/// What a value means is never looked at, so no value can be lost to an interpretation.
public enum BSONFraming {
    /// Length of the document that starts at `offset`, in bytes.
    ///
    /// Cost: two loads. Nothing inside the document is looked at but its last byte.
    /// - Throws: `lengthOutOfBounds`, `truncated` or `missingTerminator`.
    @inlinable
    public static func documentByteCount(
        in bytes: UnsafeRawBufferPointer, at offset: Int,
        limit: Int = BSONLimits.documentByteCountMax
    ) throws(BSONError) -> Int {
        guard offset >= 0, bytes.count - offset >= BSONLimits.documentByteCountMin else {
            throw BSONError(.truncated, "document is cut", at: offset)
        }
        let length = Int(Int32(littleEndian: loadInteger(bytes, offset)))
        guard length >= BSONLimits.documentByteCountMin, length <= limit else {
            throw BSONError(
                .lengthOutOfBounds, "document length \(length) is outside 5 to \(limit)",
                at: offset)
        }
        guard length <= bytes.count - offset else {
            throw BSONError(.truncated, "document of \(length) bytes is cut", at: offset)
        }
        guard bytes[offset + length - 1] == 0 else {
            throw BSONError(
                .missingTerminator, "document does not end in a zero byte", at: offset)
        }
        return length
    }

    /// Calls `body` with each document of a run of concatenated documents, in order.
    ///
    /// The bytes given to `body` live only as long as `bytes`.
    /// - Throws: what `documentByteCount` throws, and what `body` throws.
    @inlinable
    public static func forEachDocument(
        in bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var offset = 0
        while offset < bytes.count {
            let length = try documentByteCount(in: bytes, at: offset)
            try body(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
            offset += length
        }
    }

    /// Length of a value of type `type` that starts at `offset`, in bytes, bounded by `end`.
    ///
    /// - Throws: `truncated`, `lengthOutOfBounds` or `missingTerminator`.
    static func valueByteCount(
        _ type: BSONType, in bytes: UnsafeRawBufferPointer, at offset: Int, end: Int
    ) throws(BSONError) -> Int {
        let count: Int
        switch type {
        case .undefined, .null, .minKey, .maxKey: count = 0
        case .bool: count = 1
        case .int32: count = 4
        case .double, .date, .timestamp, .int64: count = 8
        case .objectID: count = 12
        case .decimal128: count = 16
        case .string, .javaScript, .symbol:
            count = try prefixedByteCount(in: bytes, at: offset, end: end, least: 1, extra: 4)
        case .binary:
            count = try prefixedByteCount(in: bytes, at: offset, end: end, least: 0, extra: 5)
        case .dbPointer:
            count = try prefixedByteCount(in: bytes, at: offset, end: end, least: 1, extra: 16)
        case .document, .array, .javaScriptWithScope:
            count = try prefixedByteCount(in: bytes, at: offset, end: end, least: 5, extra: 0)
        case .regularExpression:
            let pattern = try nameByteCount(in: bytes, at: offset, end: end)
            let options = try nameByteCount(in: bytes, at: offset + pattern + 1, end: end)
            count = pattern + options + 2
        }
        guard count <= end - offset else {
            throw BSONError(.truncated, "value is cut", at: offset)
        }
        if type == .document || type == .array, bytes[offset + count - 1] != 0 {
            throw BSONError(
                .missingTerminator, "nested document does not end in a zero byte", at: offset)
        }
        return count
    }

    /// Bytes up to the next zero byte, which is not counted.
    ///
    /// - Throws: `truncated` when there is none before `end`.
    static func nameByteCount(
        in bytes: UnsafeRawBufferPointer, at offset: Int, end: Int
    ) throws(BSONError) -> Int {
        var cursor = offset
        while cursor < end {
            if bytes[cursor] == 0 { return cursor - offset }
            cursor += 1
        }
        throw BSONError(.truncated, "name does not end", at: offset)
    }

    private static func prefixedByteCount(
        in bytes: UnsafeRawBufferPointer, at offset: Int, end: Int, least: Int, extra: Int
    ) throws(BSONError) -> Int {
        guard end - offset >= 4 else { throw BSONError(.truncated, "length is cut", at: offset) }
        let length = Int(Int32(littleEndian: loadInteger(bytes, offset)))
        guard length >= least, length <= end - offset - extra else {
            throw BSONError(
                .lengthOutOfBounds, "value length \(length) does not fit its document",
                at: offset)
        }
        return length + extra
    }
}

/// Loads an unaligned integer in the machine's byte order. The caller has checked the bounds.
@inlinable
@inline(__always)
func loadInteger<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _ offset: Int
) -> Integer {
    bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self)
}
