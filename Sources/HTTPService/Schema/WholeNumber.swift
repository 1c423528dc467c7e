/// Whole numbers as clients write them.
enum WholeNumber {
    /// Digits of a number that are looked at; none that fits has more that count.
    private static let digitCountMax = 400

    /// The number that a JSON number means exactly, however it is written: `2`, `2.0` and `2e0` are
    /// the same, as JSON Schema has it. Nil for what has a fraction or fits no `Int`.
    ///
    /// - Parameter text: a number of JSON's grammar.
    static func value(json text: String) -> Int? {
        if let plain = Int(text) { return plain }
        guard text.utf8.count <= digitCountMax else { return nil }
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.lowercased().split(separator: "e", maxSplits: 1)
        guard let mantissa = parts.first else { return nil }
        let halves = mantissa.split(separator: ".", maxSplits: 1)
        guard let whole = halves.first, let exponent = parts.count == 1 ? 0 : Int(parts[1]),
            (-digitCountMax...digitCountMax).contains(exponent)
        else { return nil }
        let fraction = halves.count == 2 ? halves[1] : ""
        var digits = whole + fraction
        let shift = exponent - fraction.count
        if shift < 0 {
            let cut = digits.suffix(-shift)
            guard cut.allSatisfy({ $0 == "0" }) else { return nil }
            digits = digits.dropLast(cut.count)
        } else if digits.contains(where: { $0 != "0" }) {
            digits += String(repeating: "0", count: shift)
        }
        let significant = digits.drop { $0 == "0" }
        return significant.isEmpty ? 0 : Int((isNegative ? "-" : "") + significant)
    }

    /// The number that a parameter's text means: digits without a sign in front but a minus, nor
    /// zeros, blanks or anything else.
    static func value(parameter text: String) -> Int? {
        Int(text).flatMap { String($0) == text ? $0 : nil }
    }

    /// A JSON number as those read it who know one form only.
    static func plain(_ text: String) -> String { value(json: text).map(String.init) ?? text }
}
