/// One BSON document, owned, exactly as its bytes were. Used where a document is looked into
/// (catalog, manifest, replies); the data path moves documents as runs of bytes and never makes one
/// of these.
public struct BSONDocument: Hashable, Sendable {
    /// The whole document: length, elements, terminator.
    public let bytes: [UInt8]

    /// The empty document.
    public init() {
        bytes = [5, 0, 0, 0, 0]
    }

    /// Takes bytes that are one whole document.
    ///
    /// - Throws: `BSONError` when the length does not match or the terminator is missing. Elements
    ///   are checked when read.
    public init(
        validating bytes: [UInt8], limit: Int = BSONLimits.documentByteCountMax
    ) throws(BSONError) {
        let framed: Result<Int, BSONError> = bytes.withUnsafeBytes { buffer in
            do throws(BSONError) {
                return .success(
                    try BSONFraming.documentByteCount(in: buffer, at: 0, limit: limit))
            } catch {
                return .failure(error)
            }
        }
        guard try framed.get() == bytes.count else {
            throw BSONError(.lengthOutOfBounds, "bytes follow the document", at: 0)
        }
        self.bytes = bytes
    }

    /// For the builder, which knows that its bytes are a document.
    init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var isEmpty: Bool { bytes.count == BSONLimits.documentByteCountMin }

    /// All elements in their order.
    ///
    /// - Throws: `BSONError` when an element does not fit. Nested documents are checked when they
    ///   are read themselves.
    public func elements() throws(BSONError) -> [BSONElement] {
        var elements: [BSONElement] = []
        var reader = BSONElementReader(bytes[...])
        while let element = try reader.next() { elements.append(element) }
        return elements
    }

    /// The first element of that name, or nil.
    public func first(_ name: String) throws(BSONError) -> BSONValue? {
        let wanted = Array(name.utf8)
        var reader = BSONElementReader(bytes[...])
        while let element = try reader.next() {
            if element.nameBytes.elementsEqual(wanted) { return element.value }
        }
        return nil
    }

    /// The value of the first element of that name, read by `convert` (such as `\.string`).
    ///
    /// - Throws: `unexpectedField` when it is missing or of another type.
    public func require<Value>(
        _ name: String, _ convert: (BSONValue) -> Value?
    ) throws(BSONError) -> Value {
        guard let value = try first(name), let converted = convert(value) else {
            throw BSONError(
                .unexpectedField, "field \"\(name)\" is missing or of another type", at: 0)
        }
        return converted
    }
}

/// A name and a value inside a document.
public struct BSONElement: Hashable, Sendable {
    /// The name as it stands in the document: without its zero byte, not necessarily valid UTF-8,
    /// possibly empty.
    public let nameBytes: ArraySlice<UInt8>
    public let value: BSONValue

    /// The name as text, with invalid UTF-8 repaired.
    public var name: String { String(decoding: nameBytes, as: UTF8.self) }
}

/// Reads elements one after another from the bytes of one document.
public struct BSONElementReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var offset: Int

    /// - Parameter document: one framed document, as `BSONDocument` checks it.
    public init(_ document: ArraySlice<UInt8>) {
        bytes = document
        offset = 4
    }

    /// The next element, or nil at the document's terminator.
    ///
    /// - Throws: `BSONError` for an unknown type or a value that does not fit.
    public mutating func next() throws(BSONError) -> BSONElement? {
        let found: Result<(BSONElement, Int)?, BSONError> = bytes.withUnsafeBytes { buffer in
            do throws(BSONError) {
                return .success(try Self.element(in: buffer, bytes, offset))
            } catch { return .failure(error) }
        }
        guard let (element, following) = try found.get() else { return nil }
        offset = following
        return element
    }

    private static func element(
        in buffer: UnsafeRawBufferPointer, _ bytes: ArraySlice<UInt8>, _ offset: Int
    ) throws(BSONError) -> (BSONElement, Int)? {
        let end = buffer.count - 1
        guard offset < end else { return nil }
        guard let type = BSONType(rawValue: buffer[offset]) else {
            throw BSONError(.unknownType, "type \(buffer[offset]) is unknown", at: offset)
        }
        let nameCount = try BSONFraming.nameByteCount(in: buffer, at: offset + 1, end: end)
        let valueOffset = offset + 1 + nameCount + 1
        let valueCount = try BSONFraming.valueByteCount(
            type, in: buffer, at: valueOffset, end: end)
        let base = bytes.startIndex
        let element = BSONElement(
            nameBytes: bytes[base + offset + 1..<base + offset + 1 + nameCount],
            value: BSONValue(
                type: type, bytes: bytes[base + valueOffset..<base + valueOffset + valueCount]))
        return (element, valueOffset + valueCount)
    }
}
