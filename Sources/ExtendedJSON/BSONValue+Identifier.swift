public import BSONBytes

extension BSONValue {
    /// Reads an `_id` as people write it: Extended JSON such as `42`, `"42"` or `{"$oid": "…"}`;
    /// 24 hexadecimal digits are an ObjectId; anything else that does not begin like JSON's own
    /// marks is a string.
    ///
    /// - Throws: what is wrong with what begins with a brace, a bracket or a quotation mark and is
    ///   no Extended JSON.
    public init(identifier text: String) throws(ExtendedJSONError) {
        if text.utf8.count == 24, text.allSatisfy(\.isHexDigit) {
            let digits = Array(text)
            let bytes = stride(from: 0, to: 24, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            self = BSONValue(type: .objectID, bytes: bytes[...])
            return
        }
        do throws(ExtendedJSONError) {
            self = try ExtendedJSONParser.value(utf8: Array(text.utf8))
        } catch {
            guard !["{", "[", "\""].contains(text.prefix(1)) else { throw error }
            let document = BSONDocument { $0.append("", text) }
            self = BSONValue(type: .string, bytes: document.bytes[6..<document.bytes.count - 1])
        }
    }
}
