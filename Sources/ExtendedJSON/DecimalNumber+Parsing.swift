extension DecimalNumber {
    /// Why a text is no decimal128.
    enum ParsingFailure: Error, Hashable {
        /// It is not a number at all.
        case notANumberText
        /// It is one, but decimal128 could only hold it rounded.
        case inexact
    }

    /// Reads the specification's spellings: digits with or without point and exponent, NaN and the
    /// infinities in any case.
    init(parsing text: String) throws(ParsingFailure) {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        switch String(decoding: rest, as: UTF8.self).lowercased() {
        case "nan": self = .notANumber
        case "inf", "infinity": self = .infinity(isNegative: isNegative)
        default:
            let (digits, exponent) = try Self.digitsAndExponent(rest)
            self = try Self.fitted(isNegative: isNegative, digits: digits, exponent: exponent)
        }
    }

    /// All digits without the point, and the power of ten of the last one.
    private static func digitsAndExponent(
        _ text: ArraySlice<UInt8>
    ) throws(ParsingFailure) -> (digits: ArraySlice<UInt8>, exponent: Int) {
        var rest = text
        var digits = rest.prefix(while: isDigit)
        rest = rest.dropFirst(digits.count)
        var fractionCount = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let fraction = rest.prefix(while: isDigit)
            fractionCount = fraction.count
            digits += fraction
            rest = rest.dropFirst(fractionCount)
        }
        guard !digits.isEmpty else { throw .notANumberText }
        guard let mark = rest.first else { return (digits, -fractionCount) }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else {
            throw .notANumberText
        }
        rest.removeFirst()
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard !rest.isEmpty, rest.allSatisfy(isDigit) else { throw .notANumberText }
        // An exponent of more digits than this is out of range whatever the significand is.
        let magnitude = Int(String(decoding: rest, as: UTF8.self)) ?? Int.max / 4
        let power = min(magnitude, Int.max / 4)
        return (digits, (isNegative ? -power : power) - fractionCount)
    }

    /// Brings digits and exponent into range by moving zeros from one to the other.
    private static func fitted(
        isNegative: Bool, digits: ArraySlice<UInt8>, exponent: Int
    ) throws(ParsingFailure) -> DecimalNumber {
        var digits = digits.drop { $0 == UInt8(ascii: "0") }
        guard !digits.isEmpty else {
            let clamped = min(max(exponent, exponents.lowerBound), exponents.upperBound)
            return .finite(isNegative: isNegative, significand: 0, exponent: clamped)
        }
        var exponent = exponent
        while digits.count > digitCountMax || exponent < exponents.lowerBound {
            guard digits.popLast() == UInt8(ascii: "0") else { throw .inexact }
            exponent += 1
        }
        let excess = exponent - exponents.upperBound
        guard excess <= digitCountMax - digits.count else { throw .inexact }
        if excess > 0 {
            digits += repeatElement(UInt8(ascii: "0"), count: excess)
            exponent -= excess
        }
        let significand = digits.reduce(UInt128(0)) { $0 * 10 + UInt128($1 - UInt8(ascii: "0")) }
        return .finite(isNegative: isNegative, significand: significand, exponent: exponent)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
