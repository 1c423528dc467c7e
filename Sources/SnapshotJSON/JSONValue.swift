internal import Snapshots

/// A JSON text in the making. Members keep their order, so that output is the same every time.
public enum JSONValue: Equatable, Sendable {
    /// Nothing.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number of things.
    case count(UInt64)
    /// Written with three digits after the point.
    case decimal(Double)
    /// A text of any characters; what could steer a terminal is escaped.
    case string(String)
    /// Values in order.
    case array([JSONValue])
    /// Members in order.
    case object([Member])
    /// Text that is JSON already.
    case verbatim(String)

    /// A name and its value in an object.
    public struct Member: Equatable, Sendable {
        /// Unique in its object.
        public let name: String
        /// Anything.
        public let value: JSONValue

        /// A member; nothing checks that its name is unique.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// An object with members in this order.
    public static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(members.map { Member($0.key, $0.value) })
    }

    /// A number of things; a negative one, which can't be, is 0.
    public static func count(_ count: Int) -> JSONValue { .count(UInt64(clamping: count)) }

    /// A text, or null.
    public static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// A number of things, or null.
    public static func optional(count: UInt64?) -> JSONValue {
        count.map { .count($0) } ?? .null
    }

    /// A moment in ISO 8601, UTC.
    ///
    /// - Parameter milliseconds: since 1970 UTC.
    public static func date(_ milliseconds: Int64) -> JSONValue {
        .string(CalendarDate(milliseconds: milliseconds).description)
    }

    /// The text, on one line without a newline.
    public var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// A number with so many digits after the point, at most 18 before it; `0` for what is no
    /// number.
    public static func decimal(_ value: Double, digitCount: Int) -> String {
        let scale = (0..<digitCount).reduce(1) { scale, _ in scale * 10 }
        guard let scaled = Int(exactly: (value * Double(scale)).rounded()) else { return "0" }
        let whole = String(scaled.magnitude / UInt(scale))
        let sign = scaled < 0 ? "-" : ""
        guard digitCount > 0 else { return sign + whole }
        let fraction = String(scaled.magnitude % UInt(scale))
        let zeros = String(repeating: "0", count: digitCount - fraction.count)
        return "\(sign)\(whole).\(zeros)\(fraction)"
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .count(let count): text += String(count)
        case .decimal(let value): text += Self.decimal(value, digitCount: 3)
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
        defer { text += "\"" }
        guard string.utf8.contains(where: mayNeedEscape) else {
            text += string
            return
        }
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
    }

    /// Whether a byte of UTF-8 is, or begins, something that is written in another way. Most
    /// strings have none, and taking them whole is several times faster.
    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        switch byte {
        case ..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7F: true
        // Of U+0080 to U+009F, and of U+2028 and U+2029.
        case 0xC2, 0xE2: true
        default: false
        }
    }
}
