/// A value where it lies in borrowed bytes: type and place, nothing copied.
///
/// It lives only as long as the bytes it was read from.
public struct RawValue {
    /// What the bytes are.
    public let type: BSONType
    /// The value without type byte and name. Its length fits its type.
    public let bytes: UnsafeRawBufferPointer

    /// A value whose bytes fit its type, as a reader has checked.
    @inlinable
    public init(type: BSONType, bytes: UnsafeRawBufferPointer) {
        self.type = type
        self.bytes = bytes
    }

    /// A little-endian integer in the value. The caller knows that it is long enough.
    @inlinable
    public func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int = 0, as type: Integer.Type = Integer.self
    ) -> Integer {
        Integer(littleEndian: loadInteger(bytes, offset))
    }
}

/// Walks the elements of one document in borrowed bytes without copying any: what searches through
/// many documents for few fields.
public struct RawElementReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 4

    /// - Parameter document: one framed document or array, as `BSONFraming` checks it.
    public init(_ document: UnsafeRawBufferPointer) {
        bytes = document
    }

    /// The next element's name, without its zero byte, and its value; nil at the terminator.
    ///
    /// - Throws: `BSONError` for an unknown type or a value that does not fit.
    public mutating func next() throws(BSONError) -> (
        name: UnsafeRawBufferPointer, value: RawValue
    )? {
        let end = bytes.count - 1
        guard offset < end else { return nil }
        guard let type = BSONType(rawValue: bytes[offset]) else {
            throw BSONError(.unknownType, "type \(bytes[offset]) is unknown", at: offset)
        }
        let nameOffset = offset + 1
        let nameCount = try BSONFraming.nameByteCount(in: bytes, at: nameOffset, end: end)
        let valueOffset = nameOffset + nameCount + 1
        let valueCount = try BSONFraming.valueByteCount(
            type, in: bytes, at: valueOffset, end: end)
        offset = valueOffset + valueCount
        let name = UnsafeRawBufferPointer(
            rebasing: bytes[nameOffset..<nameOffset + nameCount])
        let value = UnsafeRawBufferPointer(rebasing: bytes[valueOffset..<offset])
        return (name, RawValue(type: type, bytes: value))
    }
}
