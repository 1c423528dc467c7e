import CXXHash

/// The hash of a document's `_id` as a server takes it for equal (without a collation): numbers by
/// their value whatever their type, all else by type and bytes. A document without one is known by
/// all of its bytes.
///
/// A decimal is known by its own bytes.
public struct DocumentIdentity: Hashable, Sendable {
    private let hash: UInt128

    /// - Throws: `BSONError` when the elements up to the `_id` do not fit the document.
    public init(_ document: UnsafeRawBufferPointer) throws(BSONError) {
        guard let (type, range) = try DocumentKey.findID(in: document) else {
            hash = Self.hash(document, tag: 0)
            return
        }
        let value = UnsafeRawBufferPointer(rebasing: document[range])
        guard let number = Self.number(type, value) else {
            hash = Self.hash(value, tag: type.rawValue)
            return
        }
        hash = withUnsafeBytes(of: number) { Self.hash($0, tag: BSONType.int64.rawValue) }
    }

    /// Whether no other identity can be of an `_id` that a server takes for equal: not so for
    /// numbers that are not whole, decimals, symbols, and documents and arrays, which may hold
    /// such.
    public static func isExact(_ document: UnsafeRawBufferPointer) throws(BSONError) -> Bool {
        guard let (type, range) = try DocumentKey.findID(in: document) else { return true }
        switch type {
        case .double:
            return number(type, UnsafeRawBufferPointer(rebasing: document[range])) != nil
        case .decimal128, .symbol, .document, .array: return false
        default: return true
        }
    }

    /// Half of it is as good as a hash as all of it.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(UInt64(truncatingIfNeeded: hash))
    }

    /// Which of `count` parts of all identities it belongs to.
    public func part(of count: Int) -> Int {
        Int(truncatingIfNeeded: (hash >> 96) % UInt128(count))
    }

    /// A whole number's value; nil for anything else.
    private static func number(_ type: BSONType, _ value: UnsafeRawBufferPointer) -> Int64? {
        switch type {
        case .int32: Int64(Int32(littleEndian: loadInteger(value, 0)))
        case .int64: Int64(littleEndian: loadInteger(value, 0))
        case .double:
            Int64(exactly: Double(bitPattern: UInt64(littleEndian: loadInteger(value, 0))))
        default: nil
        }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer, tag: UInt8) -> UInt128 {
        let hash = XXH3_128bits_withSeed(bytes.baseAddress, bytes.count, UInt64(tag))
        return UInt128(hash.high64) << 64 | UInt128(hash.low64)
    }
}
