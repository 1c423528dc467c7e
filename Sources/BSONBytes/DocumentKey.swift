/// An `_id` as bytes that compare like the values they stand for: one byte for the class of the
/// type, then up to 31 bytes of the value, cut there. Equal values have equal keys, whichever
/// numeric type they have; different values may share a key (long strings, embedded documents). So
/// a range of keys never leaves out a document, and may include one too many. Byte layout:
/// `formats/archive.md`, section 6.3.
public struct DocumentKey: Hashable, Comparable, Sendable {
    /// The most bytes a key has.
    public static let byteCountMax = 32

    /// Big-endian, zero-padded, so that the words compare as the bytes do.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// How many bytes are the key, 1 to 32; the rest is padding.
    public private(set) var byteCount = 0

    /// Reads a key as an index row holds it; nil when `bytes` are not 1 to 32.
    public init?(bytes: some Collection<UInt8>) {
        guard (1...Self.byteCountMax).contains(bytes.count) else { return nil }
        bytes.forEach { append($0) }
    }

    /// The key of a document's `_id`; nil when it has none.
    ///
    /// Cost: the `_id` is the first element of nearly every stored document, so one element is
    /// looked at.
    /// - Throws: `BSONError` when the elements up to the `_id` do not fit the document.
    public init?(document: UnsafeRawBufferPointer) throws(BSONError) {
        guard let (type, range) = try Self.findID(in: document) else { return nil }
        self.init(type: type, value: UnsafeRawBufferPointer(rebasing: document[range]))
    }

    /// The key of a value that serves as an `_id`.
    public init(_ value: BSONValue) {
        self = value.bytes.withUnsafeBytes { DocumentKey(type: value.type, value: $0) }
    }

    /// The key itself, without padding.
    public var bytes: [UInt8] {
        let all = [words.0, words.1, words.2, words.3].flatMap { word in
            withUnsafeBytes(of: word.bigEndian) { Array($0) }
        }
        return Array(all.prefix(byteCount))
    }

    public static func == (left: DocumentKey, right: DocumentKey) -> Bool {
        left.words == right.words && left.byteCount == right.byteCount
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    public static func < (left: DocumentKey, right: DocumentKey) -> Bool {
        left.words == right.words
            ? left.byteCount < right.byteCount : left.words < right.words
    }

    // MARK: Encoding

    private init(type: BSONType, value: UnsafeRawBufferPointer) {
        append(Self.classByte(of: type))
        switch type {
        case .int32: append(ordered: Double(Int32(littleEndian: loadInteger(value, 0))))
        case .int64: append(ordered: Double(Int64(littleEndian: loadInteger(value, 0))))
        case .double:
            append(ordered: Double(bitPattern: UInt64(littleEndian: loadInteger(value, 0))))
        case .decimal128:
            append(ordered: Decimal128(littleEndian: value).nearestDouble)
        case .string, .symbol: append(value.dropFirst(4).dropLast())
        case .binary:
            append(bigEndian: UInt32(littleEndian: loadInteger(value, 0)))
            append(value.dropFirst(4))
        case .objectID: append(value[...])
        case .bool: append(value[0] == 0 ? 0 : 1)
        case .date: append(bigEndian: UInt64(littleEndian: loadInteger(value, 0)) ^ 1 << 63)
        case .timestamp: append(bigEndian: UInt64(littleEndian: loadInteger(value, 0)))
        case .minKey, .maxKey, .null, .undefined, .document, .array, .regularExpression,
            .dbPointer, .javaScript, .javaScriptWithScope:
            break
        }
    }

    /// The server's order of types (manual, "BSON comparison order"); the bytes are this format's
    /// own.
    private static func classByte(of type: BSONType) -> UInt8 {
        switch type {
        case .minKey: 10
        case .undefined: 15
        case .null: 20
        case .int32, .int64, .double, .decimal128: 30
        case .string, .symbol: 60
        case .document: 70
        case .array: 80
        case .binary: 90
        case .objectID: 100
        case .bool: 110
        case .date: 120
        case .timestamp: 130
        case .regularExpression: 140
        case .dbPointer: 150
        case .javaScript: 160
        case .javaScriptWithScope: 170
        case .maxKey: 240
        }
    }

    /// NaN sorts below every number, as the server has it; the two zeros are one.
    private mutating func append(ordered number: Double) {
        guard !number.isNaN else { return append(bigEndian: UInt64(0)) }
        let bits = (number == 0 ? 0 : number).bitPattern
        append(bigEndian: bits & 1 << 63 == 0 ? bits | 1 << 63 : ~bits)
    }

    private mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
        withUnsafeBytes(of: value.bigEndian) { append($0[...]) }
    }

    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
        for byte in bytes.prefix(Self.byteCountMax - byteCount) { append(byte) }
    }

    private mutating func append(_ byte: UInt8) {
        let shift = UInt64(56 - byteCount % 8 * 8)
        let part = UInt64(byte) << shift
        switch byteCount / 8 {
        case 0: words.0 |= part
        case 1: words.1 |= part
        case 2: words.2 |= part
        default: words.3 |= part
        }
        byteCount += 1
    }

    /// Type and value range of the first element named `_id`.
    static func findID(
        in document: UnsafeRawBufferPointer
    ) throws(BSONError) -> (BSONType, Range<Int>)? {
        let end = document.count - 1
        var offset = 4
        while offset < end {
            guard let type = BSONType(rawValue: document[offset]) else {
                throw BSONError(.unknownType, "type \(document[offset]) is unknown", at: offset)
            }
            let nameCount = try BSONFraming.nameByteCount(in: document, at: offset + 1, end: end)
            let value = offset + nameCount + 2
            let valueCount = try BSONFraming.valueByteCount(
                type, in: document, at: value, end: end)
            if nameCount == 3, document[offset + 1] == 0x5F, document[offset + 2] == 0x69,
                document[offset + 3] == 0x64
            {
                return (type, value..<value + valueCount)
            }
            offset = value + valueCount
        }
        return nil
    }
}
