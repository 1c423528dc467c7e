/// A value inside a document: its type and its bytes, exactly as they stand there.
public struct BSONValue: Hashable, Sendable {
    public let type: BSONType
    /// The value without type byte and name. Its length fits its type: the reader has checked it.
    public let bytes: ArraySlice<UInt8>

    public init(type: BSONType, bytes: ArraySlice<UInt8>) {
        self.type = type
        self.bytes = bytes
    }

    public var double: Double? {
        type == .double ? Double(bitPattern: integer(at: 0)) : nil
    }

    public var int32: Int32? {
        type == .int32 ? integer(at: 0) : nil
    }

    public var int64: Int64? {
        type == .int64 ? integer(at: 0) : nil
    }

    /// Any numeric type that holds a whole number within `Int`: servers answer with whichever they
    /// like.
    public var wholeNumber: Int? {
        switch type {
        case .int32: int32.map(Int.init)
        case .int64: int64.map(Int.init)
        case .double: double.flatMap { Int(exactly: $0) }
        default: nil
        }
    }

    public var bool: Bool? {
        type == .bool ? bytes.first != 0 : nil
    }

    /// Whether a server takes it for true: a true boolean or a number that is not zero.
    public var isTruthy: Bool {
        bool ?? double.map { $0 != 0 } ?? wholeNumber.map { $0 != 0 } ?? false
    }

    /// Milliseconds since 1970 UTC.
    public var dateMilliseconds: Int64? {
        type == .date ? integer(at: 0) : nil
    }

    /// A string, with invalid UTF-8 repaired; `bytes` has it as it is.
    public var string: String? {
        type == .string ? String(decoding: bytes.dropFirst(4).dropLast(), as: UTF8.self) : nil
    }

    /// A nested document. Its framing was checked by the reader that made this value.
    public var document: BSONDocument? {
        type == .document ? BSONDocument(unchecked: Array(bytes)) : nil
    }

    /// A nested array's values in their order; nil for other types.
    ///
    /// - Throws: `BSONError` when an element does not fit.
    public func array() throws(BSONError) -> [BSONValue]? {
        guard type == .array else { return nil }
        return try BSONDocument(unchecked: Array(bytes)).elements().map(\.value)
    }

    public var timestamp: BSONTimestamp? {
        type == .timestamp ? BSONTimestamp(rawValue: integer(at: 0)) : nil
    }

    /// Subtype and payload of a binary value.
    public var binary: (subtype: UInt8, payload: ArraySlice<UInt8>)? {
        guard type == .binary else { return nil }
        return (bytes[bytes.startIndex + 4], bytes.dropFirst(5))
    }

    private func integer<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        bytes.withUnsafeBytes { Integer(littleEndian: loadInteger($0, offset)) }
    }
}

/// A server's logical time: seconds since 1970 in the upper half, a counter within that second in
/// the lower.
public struct BSONTimestamp: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(seconds: UInt32, increment: UInt32) {
        rawValue = UInt64(seconds) << 32 | UInt64(increment)
    }

    public var seconds: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    public var increment: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    public var description: String { "\(seconds):\(increment)" }

    public static func < (left: BSONTimestamp, right: BSONTimestamp) -> Bool {
        left.rawValue < right.rawValue
    }
}
