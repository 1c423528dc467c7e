/// A JSON text in the making. Members keep their order, so that output is the same every time.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case count(UInt64)
    /// Written with three digits after the point.
    case decimal(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])
    /// Text that is JSON already.
    case verbatim(String)

    /// A name and its value in an object.
    struct Member: Equatable, Sendable {
        let name: String
        let value: JSONValue

        /// A member; nothing checks that its name is unique.
        init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// An object with members in this order.
    static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(members.map { Member($0.key, $0.value) })
    }

    /// A number of things.
    static func count(_ count: Int) -> JSONValue { .count(UInt64(count)) }

    /// A text, or null.
    static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// The text, on one line without a newline.
    var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .count(let count): text += String(count)
        case .decimal(let value): text += Formatting.decimal(value, digitCount: 3)
        case .string(let value): Self.write(value, to: &text)
        case .verbatim(let json): text += json
        case .array(let values):
            text += "["
            for (position, value) in values.enumerated() {
                if position > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (position, member) in members.enumerated() {
                if position > 0 { text += "," }
                Self.write(member.name, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
