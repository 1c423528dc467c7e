/// A strict reader of JSON (RFC 8259), recursive to a fixed depth.
struct JSONReader {
    /// What it could not read.
    enum Failure: Error, Equatable {
        /// Not JSON.
        case malformed
        /// A name twice in one object.
        case duplicateName
        /// More levels than ``depthMax``.
        case tooDeep
    }

    /// How many arrays and objects may be inside each other.
    static let depthMax = 16

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// One value, and nothing behind it.
    mutating func readWhole() throws(Failure) -> JSONValue {
        let value = try readValue(depth: 0)
        skipWhiteSpace()
        guard position == bytes.count else { throw .malformed }
        return value
    }

    private mutating func readValue(depth: Int) throws(Failure) -> JSONValue {
        skipWhiteSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try readObject(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try readArray(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try read("true", as: .bool(true))
        case UInt8(ascii: "f"): return try read("false", as: .bool(false))
        case UInt8(ascii: "n"): return try read("null", as: .null)
        default: return .number(try readNumber())
        }
    }

    private mutating func readObject(depth: Int) throws(Failure) -> [String: JSONValue] {
        guard depth <= Self.depthMax else { throw .tooDeep }
        try expect("{")
        var members: [String: JSONValue] = [:]
        skipWhiteSpace()
        if take("}") { return members }
        repeat {
            skipWhiteSpace()
            let name = try readString()
            skipWhiteSpace()
            try expect(":")
            guard members.updateValue(try readValue(depth: depth), forKey: name) == nil else {
                throw .duplicateName
            }
            skipWhiteSpace()
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func readArray(depth: Int) throws(Failure) -> [JSONValue] {
        guard depth <= Self.depthMax else { throw .tooDeep }
        try expect("[")
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if take("]") { return elements }
        repeat {
            elements.append(try readValue(depth: depth))
            skipWhiteSpace()
        } while take(",")
        try expect("]")
        return elements
    }

    // MARK: Text

    private mutating func readString() throws(Failure) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw .malformed }
                return string
            case UInt8(ascii: "\\"): try readEscape(into: &text)
            case ..<0x20: throw .malformed
            default: text.append(byte)
            }
        }
        throw .malformed
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = peek else { throw .malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(try readEscapedScalar()).utf8)
        default: throw .malformed
        }
    }

    /// What follows `\u`, of a surrogate pair both halves.
    private mutating func readEscapedScalar() throws(Failure) -> Character {
        let first = try readHexadecimal()
        var code = first
        if (0xD800..<0xDC00).contains(first) {
            try expect("\\")
            try expect("u")
            let second = try readHexadecimal()
            guard (0xDC00..<0xE000).contains(second) else { throw .malformed }
            code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw .malformed }
        return Character(scalar)
    }

    private mutating func readHexadecimal() throws(Failure) -> UInt32 {
        guard bytes.count - position >= 4 else { throw .malformed }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw .malformed
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    // MARK: Numbers

    private mutating func readNumber() throws(Failure) -> Double {
        let start = position
        _ = take("-")
        if !take("0") { try readDigits() }
        if take(".") { try readDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try readDigits()
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)),
            value.isFinite
        else { throw .malformed }
        return value
    }

    private mutating func readDigits() throws(Failure) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw .malformed }
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipWhiteSpace() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard take(character) else { throw .malformed }
    }

    private mutating func read(_ word: String, as value: JSONValue) throws(Failure) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw .malformed }
        position += word.utf8.count
        return value
    }
}
