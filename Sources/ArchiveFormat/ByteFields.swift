/// Writes fields one after another, little-endian.
struct ByteFieldWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ field: some Collection<UInt8>) {
        bytes.append(contentsOf: field)
    }

    /// Appends a field and zeros behind it up to `byteCount`.
    mutating func append(_ field: some Collection<UInt8>, paddedTo byteCount: Int) {
        precondition(field.count <= byteCount, "a field fits its place")
        bytes.append(contentsOf: field)
        bytes.append(contentsOf: repeatElement(0, count: byteCount - field.count))
    }
}

/// Reads fields one after another, little-endian, never beyond the end.
struct ByteFieldReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: some Collection<UInt8>) {
        self.bytes = ArraySlice(bytes)
        position = self.bytes.startIndex
    }

    mutating func integer<Integer: FixedWidthInteger>(
        _: Integer.Type = Integer.self
    ) throws(ArchiveError) -> Integer {
        let field = try take(Integer.bitWidth / 8)
        return field.reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
    }

    mutating func take(_ byteCount: Int) throws(ArchiveError) -> ArraySlice<UInt8> {
        guard byteCount <= bytes.endIndex - position else {
            throw ArchiveError(.truncated, "a structure is cut")
        }
        defer { position += byteCount }
        return bytes[position..<position + byteCount]
    }
}
