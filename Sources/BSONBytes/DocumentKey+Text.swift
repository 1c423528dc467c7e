extension DocumentKey: CustomStringConvertible {
    /// The value that the key stands for, as far as the key holds it: such as `42`, `"shop-17"…`
    /// or `ObjectId 65a1…`. For people, not to be read back.
    public var description: String {
        let payload = bytes.dropFirst()
        let isCut = byteCount == Self.byteCountMax
        switch bytes.first {
        case 30: return number(payload) ?? "a number"
        case 60: return "\"\(String(decoding: payload, as: UTF8.self))\"" + (isCut ? "…" : "")
        case 90: return "binary \(Self.hexadecimal(payload.dropFirst(5)))" + (isCut ? "…" : "")
        case 100: return "ObjectId \(Self.hexadecimal(payload))"
        case 110: return payload.first == 0 ? "false" : "true"
        case 120: return "date \(Int64(bitPattern: Self.integer(payload) ^ 1 << 63))"
        case 130:
            let stamp = Self.integer(payload)
            return "Timestamp(\(stamp >> 32), \(stamp & 0xFFFF_FFFF))"
        case 10: return "MinKey"
        case 20: return "null"
        case 70: return "a document"
        case 240: return "MaxKey"
        default: return "another value"
        }
    }

    private func number(_ payload: ArraySlice<UInt8>) -> String? {
        let ordered = Self.integer(payload)
        let bits = ordered & 1 << 63 == 0 ? ~ordered : ordered & ~(1 << 63)
        guard ordered != 0 else { return "NaN" }
        let value = Double(bitPattern: bits)
        return Int64(exactly: value).map(String.init) ?? String(value)
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
