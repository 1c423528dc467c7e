internal import BSONBytes

/// Binary subtypes that have a meaning for their spelling.
enum BinarySubtype {
    /// Deprecated: the payload repeats its length, which Extended JSON leaves out.
    static let old: UInt8 = 2
    /// A UUID in its usual byte order (RFC 4122).
    static let uuid: UInt8 = 4
}

/// Values made from what they hold.
extension BSONValue {
    /// A value whose bytes are known; without any, a type that has none.
    init(_ type: BSONType, _ bytes: [UInt8] = []) {
        self.init(type: type, bytes: bytes[...])
    }

    /// A value that is one little-endian integer.
    init(_ type: BSONType, integer: some FixedWidthInteger) {
        self.init(type, littleEndian(integer))
    }

    /// A double.
    init(_ number: Double) {
        self.init(.double, integer: number.bitPattern)
    }

    /// A string, a symbol or code.
    init(_ type: BSONType, text: String) {
        self.init(type, lengthAndText(text))
    }

    /// Bytes with a subtype.
    init(binary payload: [UInt8], subtype: UInt8) {
        let whole =
            subtype == BinarySubtype.old
            ? littleEndian(Int32(payload.count)) + payload : payload
        self.init(.binary, littleEndian(Int32(whole.count)) + [subtype] + whole)
    }

    /// Code with its variables.
    init(code: String, scope: BSONDocument) {
        let content = lengthAndText(code) + scope.bytes
        self.init(.javaScriptWithScope, littleEndian(Int32(content.count + 4)) + content)
    }

    /// A pointer to a document of another collection, by its twelve bytes.
    init(pointerTo namespace: String, objectID: ArraySlice<UInt8>) {
        self.init(.dbPointer, lengthAndText(namespace) + objectID)
    }

    /// A regular expression; neither part holds a zero byte.
    init(pattern: String, options: String) {
        self.init(.regularExpression, Array(pattern.utf8) + [0] + Array(options.utf8) + [0])
    }
}

private func littleEndian(_ integer: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: integer.littleEndian) { Array($0) }
}

private func lengthAndText(_ text: String) -> [UInt8] {
    littleEndian(Int32(text.utf8.count + 1)) + text.utf8 + [0]
}
