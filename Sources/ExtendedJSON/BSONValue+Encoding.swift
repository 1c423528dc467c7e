internal import BSONBytes

/// Binary subtypes that have a meaning for their spelling.
enum BinarySubtype {
    /// Deprecated: the payload repeats its length, which Extended JSON leaves out.
    static let old: UInt8 = 2
    static let uuid: UInt8 = 4
}

/// Values made from what they hold.
extension BSONValue {
    init(_ type: BSONType, _ bytes: [UInt8] = []) {
        self.init(type: type, bytes: bytes[...])
    }

    init(_ type: BSONType, integer: some FixedWidthInteger) {
        self.init(type, littleEndian(integer))
    }

    init(_ number: Double) {
        self.init(.double, integer: number.bitPattern)
    }

    /// A string, a symbol or code.
    init(_ type: BSONType, text: String) {
        self.init(type, lengthAndText(text))
    }

    init(binary payload: [UInt8], subtype: UInt8) {
        let whole =
            subtype == BinarySubtype.old
            ? littleEndian(Int32(payload.count)) + payload : payload
        self.init(.binary, littleEndian(Int32(whole.count)) + [subtype] + whole)
    }

    init(code: String, scope: BSONDocument) {
        let content = lengthAndText(code) + scope.bytes
        self.init(.javaScriptWithScope, littleEndian(Int32(content.count + 4)) + content)
    }

    init(pointerTo namespace: String, objectID: ArraySlice<UInt8>) {
        self.init(.dbPointer, lengthAndText(namespace) + objectID)
    }

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
