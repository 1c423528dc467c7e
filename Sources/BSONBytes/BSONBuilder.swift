/// Writes a document element by element, in the order of the calls; a name may be used twice, as
/// BSON allows.
public struct BSONBuilder: Sendable {
    private var bytes: [UInt8] = [0, 0, 0, 0]

    public init() {}

    /// The document so far.
    ///
    /// A document may be larger than `BSONLimits.documentByteCountMax`: the limit is the reader's
    /// to state.
    public var document: BSONDocument {
        let builder = self
        return builder.finished()
    }

    /// The document, without a copy of its bytes where nobody else has them.
    fileprivate consuming func finished() -> BSONDocument {
        bytes.append(0)
        let length = Int32(bytes.count)
        withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
        return BSONDocument(unchecked: bytes)
    }

    public mutating func append(_ name: String, _ value: Double) {
        appendHead(.double, name)
        appendInteger(value.bitPattern)
    }

    public mutating func append(_ name: String, _ value: Int32) {
        appendHead(.int32, name)
        appendInteger(value)
    }

    public mutating func append(_ name: String, _ value: Int64) {
        appendHead(.int64, name)
        appendInteger(value)
    }

    public mutating func append(_ name: String, _ value: Bool) {
        appendHead(.bool, name)
        bytes.append(value ? 1 : 0)
    }

    public mutating func append(_ name: String, _ value: String) {
        appendHead(.string, name)
        appendInteger(Int32(value.utf8.count + 1))
        bytes.append(contentsOf: value.utf8)
        bytes.append(0)
    }

    public mutating func append(_ name: String, _ value: BSONDocument) {
        reserve(value.bytes.count)
        appendHead(.document, name)
        bytes.append(contentsOf: value.bytes)
    }

    public mutating func append(_ name: String, _ value: BSONTimestamp) {
        appendHead(.timestamp, name)
        appendInteger(value.rawValue)
    }

    public mutating func append(_ name: String, dateMilliseconds: Int64) {
        appendHead(.date, name)
        appendInteger(dateMilliseconds)
    }

    public mutating func append(
        _ name: String, binary payload: some Collection<UInt8>, subtype: UInt8
    ) {
        appendHead(.binary, name)
        appendInteger(Int32(payload.count))
        bytes.append(subtype)
        bytes.append(contentsOf: payload)
    }

    public mutating func append(_ name: String, array documents: some Sequence<BSONDocument>) {
        append(
            name,
            array: documents.map { BSONValue(type: .document, bytes: $0.bytes[...]) })
    }

    public mutating func append(_ name: String, array strings: some Sequence<String>) {
        var array = BSONBuilder()
        for (index, string) in strings.enumerated() { array.append(String(index), string) }
        appendHead(.array, name)
        bytes.append(contentsOf: array.document.bytes)
    }

    public mutating func append(_ name: String, array values: some Sequence<BSONValue>) {
        var array = BSONBuilder()
        for (index, value) in values.enumerated() { array.append(String(index), value) }
        let finished = array.finished()
        reserve(finished.bytes.count)
        appendHead(.array, name)
        bytes.append(contentsOf: finished.bytes)
    }

    /// Any value, byte for byte.
    public mutating func append(_ name: String, _ value: BSONValue) {
        reserve(value.bytes.count)
        appendHead(value.type, name)
        bytes.append(contentsOf: value.bytes)
    }

    /// An element of another document, byte for byte, its name too.
    public mutating func append(_ element: BSONElement) {
        bytes.append(element.value.type.rawValue)
        bytes.append(contentsOf: element.nameBytes)
        bytes.append(0)
        bytes.append(contentsOf: element.value.bytes)
    }

    /// Makes room for a large value and what comes behind it, once: growing by doubling would take
    /// its size three times.
    private mutating func reserve(_ byteCount: Int) {
        guard byteCount >= Self.largeByteCountMin else { return }
        bytes.reserveCapacity(bytes.count + byteCount + Self.headByteCount)
    }

    private static let largeByteCountMin = 1024 * 1024
    private static let headByteCount = 4096

    private mutating func appendHead(_ type: BSONType, _ name: String) {
        precondition(!name.utf8.contains(0), "a BSON name holds no zero byte")
        bytes.append(type.rawValue)
        bytes.append(contentsOf: name.utf8)
        bytes.append(0)
    }

    private mutating func appendInteger<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension BSONDocument {
    /// A document made element by element: `BSONDocument { $0.append("ping", Int32(1)) }`.
    public init(_ build: (inout BSONBuilder) throws -> Void) rethrows {
        var builder = BSONBuilder()
        try build(&builder)
        self = builder.finished()
    }
}
