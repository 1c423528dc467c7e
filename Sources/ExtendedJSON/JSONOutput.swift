/// JSON text as it grows: punctuation, line breaks of the indented layout, and strings spelled as
/// Go's encoder spells them without HTML escaping, because mongodump compares its own spelling.
struct JSONOutput {
    /// The text so far, UTF-8.
    private(set) var bytes: [UInt8] = []
    /// Strings and names that were not UTF-8.
    private(set) var invalidStringCount = 0
    private let isIndented: Bool
    private var depth = 0

    /// An empty text.
    init(indented: Bool) {
        isIndented = indented
    }

    /// Writes text that needs no escapes.
    mutating func write(_ plain: String) {
        bytes.append(contentsOf: plain.utf8)
    }

    /// Opens an object or an array whose members are on lines of their own.
    mutating func open(_ bracket: String) {
        write(bracket)
        depth += 1
    }

    /// Comes before each member of an object or array.
    mutating func beginMember(isFirst: Bool) {
        if !isFirst { write(",") }
        breakLine()
    }

    /// Writes a member's name and the colon.
    mutating func writeName(_ name: some Sequence<UInt8>) {
        write(string: name)
        write(isIndented ? ": " : ":")
    }

    /// Closes what `open` opened.
    mutating func close(_ bracket: String, isEmpty: Bool) {
        depth -= 1
        if !isEmpty { breakLine() }
        write(bracket)
    }

    /// Writes a quoted string; what is not UTF-8 becomes U+FFFD.
    mutating func write(string utf8: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        let utf8 = Array(utf8)
        let valid = String(validating: utf8, as: UTF8.self)
        if valid == nil { invalidStringCount += 1 }
        for scalar in (valid ?? String(decoding: utf8, as: UTF8.self)).unicodeScalars {
            write(escaped: scalar)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func write(escaped scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": write("\\\"")
        case "\\": write("\\\\")
        case "\n": write("\\n")
        case "\r": write("\\r")
        case "\t": write("\\t")
        case "\u{08}": write("\\b")
        case "\u{0C}": write("\\f")
        case "\u{2028}": write("\\u2028")
        case "\u{2029}": write("\\u2029")
        case "\u{00}"..<"\u{20}": write("\\u00" + hexadecimal([UInt8(scalar.value)]))
        default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private mutating func breakLine() {
        guard isIndented else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }
}
