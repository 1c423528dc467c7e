/// The grammar of a number in JSON text.
enum JSONNumber {
    /// How many bytes at the start of `text` are a number; zero when it does not start with one.
    static func byteCount(_ text: ArraySlice<UInt8>) -> Int {
        var rest = text
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = digitCount(rest)
        guard whole > 0, whole == 1 || rest.first != UInt8(ascii: "0") else { return 0 }
        rest = rest.dropFirst(whole)
        if rest.first == UInt8(ascii: ".") {
            let fraction = digitCount(rest.dropFirst())
            guard fraction > 0 else { return 0 }
            rest = rest.dropFirst(1 + fraction)
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            let sign = rest.first
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
            let power = digitCount(rest)
            guard power > 0 else { return 0 }
            rest = rest.dropFirst(power)
        }
        return text.count - rest.count
    }

    /// Whether all of `text` is a number.
    static func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return !bytes.isEmpty && byteCount(bytes[...]) == bytes.count
    }

    /// Whether a number is spelled without fraction and exponent.
    static func isInteger(_ number: String) -> Bool {
        number.utf8.allSatisfy { $0 == UInt8(ascii: "-") || isDigit($0) }
    }

    private static func digitCount(_ text: ArraySlice<UInt8>) -> Int {
        text.prefix(while: isDigit).count
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
