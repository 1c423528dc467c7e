internal import BSONBytes

/// Reads JSON (RFC 8259) and nothing more lenient.
public struct JSONReader {
    /// Levels of objects and arrays: those of the deepest document, and the three that its
    /// innermost value's spelling may add (`$dbPointer`).
    static let nestingDepthMax = BSONLimits.nestingDepthMax + 3

    private let bytes: [UInt8]
    private var position = 0

    /// Reads a text in UTF-8.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The text's only value.
    ///
    /// - Throws: `syntax`, `invalidUTF8` or `nestedTooDeep`.
    public mutating func readText() throws(ExtendedJSONError) -> JSONNode {
        let node = try readValue(depth: 1)
        skipSpace()
        guard position == bytes.count else { throw syntaxError("text follows the value") }
        return node
    }

    // MARK: Values

    private mutating func readValue(depth: Int) throws(ExtendedJSONError) -> JSONNode {
        skipSpace()
        let start = position
        let kind: JSONNode.Kind =
            switch peek {
            case UInt8(ascii: "{"): .object(try readObject(depth: depth))
            case UInt8(ascii: "["): .array(try readArray(depth: depth))
            case UInt8(ascii: "\""): .string(try readString())
            case UInt8(ascii: "t"): try readWord("true", .bool(true))
            case UInt8(ascii: "f"): try readWord("false", .bool(false))
            case UInt8(ascii: "n"): try readWord("null", .null)
            default: .number(try readNumber())
            }
        return JSONNode(kind: kind, offset: start)
    }

    private mutating func readObject(
        depth: Int
    ) throws(ExtendedJSONError) -> [(name: String, node: JSONNode)] {
        try open(depth: depth)
        var members: [(name: String, node: JSONNode)] = []
        while try !close(UInt8(ascii: "}"), isFirst: members.isEmpty) {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw syntaxError("a name is missing") }
            let name = try readString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw syntaxError("a colon is missing") }
            members.append((name, try readValue(depth: depth + 1)))
        }
        return members
    }

    private mutating func readArray(depth: Int) throws(ExtendedJSONError) -> [JSONNode] {
        try open(depth: depth)
        var nodes: [JSONNode] = []
        while try !close(UInt8(ascii: "]"), isFirst: nodes.isEmpty) {
            nodes.append(try readValue(depth: depth + 1))
        }
        return nodes
    }

    private mutating func open(depth: Int) throws(ExtendedJSONError) {
        guard depth <= Self.nestingDepthMax else {
            throw ExtendedJSONError(
                .nestedTooDeep, "nested deeper than \(BSONLimits.nestingDepthMax) levels",
                at: position)
        }
        position += 1
    }

    /// Whether the object or array ends here; otherwise the comma before its next member is taken.
    private mutating func close(
        _ bracket: UInt8, isFirst: Bool
    ) throws(ExtendedJSONError) -> Bool {
        skipSpace()
        if take(bracket) { return true }
        if !isFirst, !take(UInt8(ascii: ",")) {
            throw syntaxError("a comma or a closing bracket is missing")
        }
        return false
    }

    private mutating func readWord(
        _ word: String, _ kind: JSONNode.Kind
    ) throws(ExtendedJSONError) -> JSONNode.Kind {
        guard bytes[position...].starts(with: word.utf8) else {
            throw syntaxError("a value is missing")
        }
        position += word.utf8.count
        return kind
    }

    private mutating func readNumber() throws(ExtendedJSONError) -> String {
        let count = JSONNumber.byteCount(bytes[position...])
        guard count > 0 else { throw syntaxError("a value is missing") }
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    // MARK: Strings

    private mutating func readString() throws(ExtendedJSONError) -> String {
        let start = position
        position += 1
        var content: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: content, as: UTF8.self) else {
                    throw ExtendedJSONError(.invalidUTF8, "a string is not UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\\"): content += try readEscape()
            case 0..<0x20:
                position -= 1
                throw syntaxError("there is a control byte in a string")
            default: content.append(byte)
            }
        }
        throw syntaxError("a string does not end")
    }

    /// What stands for the escape after the backslash, as UTF-8.
    private mutating func readEscape() throws(ExtendedJSONError) -> [UInt8] {
        guard let mark = peek else { throw syntaxError("a string does not end") }
        position += 1
        switch mark {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [mark]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(try readUnicodeEscape().utf8)
        default:
            position -= 1
            throw syntaxError("an escape is unknown")
        }
    }

    private mutating func readUnicodeEscape() throws(ExtendedJSONError) -> Character {
        let start = position
        let first = try readCodeUnit()
        var units = [first]
        if UTF16.isLeadSurrogate(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            units.append(try readCodeUnit())
        }
        guard let text = String(validating: units, as: UTF16.self),
            let scalar = text.unicodeScalars.first
        else {
            throw ExtendedJSONError(.syntax, "half of a surrogate pair is missing", at: start)
        }
        return Character(scalar)
    }

    private mutating func readCodeUnit() throws(ExtendedJSONError) -> UInt16 {
        let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
        guard digits.utf8.count == 4, digits.utf8.first != UInt8(ascii: "+"),
            let unit = UInt16(digits, radix: 16)
        else { throw syntaxError("four hexadecimal digits are missing") }
        position += 4
        return unit
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private func syntaxError(_ message: String) -> ExtendedJSONError {
        ExtendedJSONError(.syntax, message, at: position)
    }
}
