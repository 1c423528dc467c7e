import BSONBytes

extension EveryTypeDocuments {
    /// Values for `_id`, no two of them equal: a server takes 1, 1.0 and -0.0, 0 as one each.
    static var identifierValues: [BSONValue] {
        let types: [BSONType] = [
            .document, .binary, .objectID, .bool, .date, .null, .dbPointer, .javaScript, .symbol,
            .javaScriptWithScope, .int32, .int64, .timestamp, .decimal128, .minKey, .maxKey,
        ]
        let doubles: [UInt64] = [
            0x8000_0000_0000_0000, 0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0000,
            0xBFF8_0000_0000_0000,
        ]
        return types.map(RawValues.typical)
            + doubles.map { RawValues.fixed(.double, $0) }
            + [
                RawValues.fixed(.timestamp, UInt64(0)),
                RawValues.fixed(.date, Int64.min),
                BSONValue(type: .bool, bytes: [0]),
                RawValues.text(.string, Array("an identifier".utf8)),
                RawValues.text(.string, []),
                RawValues.text(.string, Array(String(repeating: "long ", count: 150).utf8)),
                BSONValue(type: .document, bytes: BSONDocument().bytes[...]),
                BSONValue(type: .binary, bytes: [0, 0, 0, 0, 0]),
            ]
    }
}

/// Values made from their bytes, where no Swift type stands for them.
enum RawValues {
    /// A value of that type that has something in it.
    static func typical(_ type: BSONType) -> BSONValue {
        switch type {
        case .double: fixed(.double, (3.25).bitPattern)
        case .string: text(.string, Array("text".utf8))
        case .symbol: text(.symbol, Array("symbol".utf8))
        case .javaScript: text(.javaScript, Array("function () { return 1 }".utf8))
        case .document: BSONValue(type: type, bytes: inner.bytes[...])
        case .array: BSONValue(type: type, bytes: array.bytes[...])
        case .binary: BSONValue(type: type, bytes: [3, 0, 0, 0, 0x80, 1, 2, 3])
        case .objectID: BSONValue(type: type, bytes: ArraySlice((1...12).map { UInt8($0) }))
        case .bool: BSONValue(type: type, bytes: [1])
        case .date: fixed(type, Int64(-1))
        case .undefined, .null, .minKey, .maxKey: BSONValue(type: type, bytes: [])
        case .regularExpression: BSONValue(type: type, bytes: ArraySlice("^a/b\0imsx\0".utf8))
        case .dbPointer: dbPointer
        case .javaScriptWithScope: codeWithScope
        case .int32: fixed(type, Int32(42))
        case .timestamp: fixed(type, UInt64(1) << 32 | 7)
        case .int64: fixed(type, Int64(1) << 40)
        case .decimal128: decimal(low: 12345, high: UInt64(6176 - 2) << 49)
        }
    }

    /// Decimals: zeros of both signs and of other exponents, trailing zeros, infinities, NaNs, the
    /// largest and the smallest, and one that is not in canonical form.
    static var decimals: [BSONValue] {
        [
            decimal(low: 0, high: UInt64(6176) << 49),
            decimal(low: 0, high: 0xB040_0000_0000_0000),
            decimal(low: 0, high: UInt64(6176 + 5) << 49),
            decimal(low: 1000, high: UInt64(6176 - 3) << 49),
            decimal(low: 0, high: 0x7800_0000_0000_0000),
            decimal(low: 0, high: 0xF800_0000_0000_0000),
            decimal(low: 0, high: 0x7C00_0000_0000_0000),
            decimal(low: 99, high: 0xFE00_0000_0000_0000),
            decimal(low: 0x378D_8E63_FFFF_FFFF, high: 0x5FFF_ED09_BEAD_87C0),
            decimal(low: 1, high: 0),
            decimal(low: 5, high: 0x6C10_0000_0000_0000),
        ]
    }

    /// A number as its little-endian bytes.
    static func fixed(_ type: BSONType, _ value: some FixedWidthInteger) -> BSONValue {
        BSONValue(type: type, bytes: littleEndian(value)[...])
    }

    /// A length, bytes that need not be UTF-8, and a zero.
    static func text(_ type: BSONType, _ bytes: [UInt8]) -> BSONValue {
        BSONValue(type: type, bytes: (littleEndian(Int32(bytes.count + 1)) + bytes + [0])[...])
    }

    private static func decimal(low: UInt64, high: UInt64) -> BSONValue {
        BSONValue(type: .decimal128, bytes: (littleEndian(low) + littleEndian(high))[...])
    }

    private static var inner: BSONDocument {
        BSONDocument {
            $0.append("b", Int32(1))
            $0.append("a", "inner")
        }
    }

    private static var array: BSONDocument {
        BSONDocument {
            $0.append("0", Int32(1))
            $0.append("1", "two")
            $0.append("2", BSONValue(type: .null, bytes: []))
        }
    }

    private static var dbPointer: BSONValue {
        let name = text(.string, Array("database.collection".utf8)).bytes
        return BSONValue(type: .dbPointer, bytes: name + (1...12).map { UInt8($0) })
    }

    private static var codeWithScope: BSONValue {
        let code = text(.string, Array("return x".utf8)).bytes
        let scope = BSONDocument { $0.append("x", Int32(1)) }.bytes
        let length = littleEndian(Int32(4 + code.count + scope.count))
        return BSONValue(type: .javaScriptWithScope, bytes: (length + code + scope)[...])
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
