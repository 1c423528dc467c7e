internal import BSONBytes

/// A decimal128 (IEEE 754-2008, binary integer significand) and its spelling after the BSON
/// specification, "Decimal128".
///
/// Encodings that the standard does not write itself, such as a NaN with a payload, become the
/// value they stand for.
enum DecimalNumber: Hashable {
    /// (-1)^sign × significand × 10^exponent.
    case finite(isNegative: Bool, significand: UInt128, exponent: Int)
    /// Beyond all numbers.
    case infinity(isNegative: Bool)
    /// Any NaN.
    case notANumber

    /// Decimal digits of the longest significand.
    static let digitCountMax = 34
    /// The smallest and the largest power of ten.
    static let exponents = -6176...6111
    private static let significandLimit: UInt128 = 10_000_000_000_000_000_000_000_000_000_000_000

    /// Sixteen bytes, little-endian.
    init(littleEndian bytes: some BidirectionalCollection<UInt8>) {
        let bits = bytes.reversed().reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        let isNegative = bits >> 127 == 1
        switch bits >> 122 & 0x1F {
        case 0x1F: self = .notANumber
        case 0x1E: self = .infinity(isNegative: isNegative)
        case 0x18...:
            // Such a significand has more than 34 digits, which the standard reads as zero.
            let exponent = Int(bits >> 111 & 0x3FFF) + Self.exponents.lowerBound
            self = .finite(isNegative: isNegative, significand: 0, exponent: exponent)
        default:
            let exponent = Int(bits >> 113 & 0x3FFF) + Self.exponents.lowerBound
            let significand = bits & (1 << 113 - 1)
            self = .finite(
                isNegative: isNegative,
                significand: significand < Self.significandLimit ? significand : 0,
                exponent: exponent)
        }
    }

    /// Sixteen bytes, little-endian.
    var littleEndianBytes: [UInt8] {
        let bits: UInt128
        switch self {
        case .notANumber: bits = 0x1F << 122
        case .infinity(let isNegative): bits = (isNegative ? 1 << 127 : 0) | 0x1E << 122
        case .finite(let isNegative, let significand, let exponent):
            let biased = UInt128(exponent - Self.exponents.lowerBound)
            bits = (isNegative ? 1 << 127 : 0) | biased << 113 | significand
        }
        return withUnsafeBytes(of: bits.littleEndian) { Array($0) }
    }

    /// The specification's spelling, which keeps every digit and the exponent.
    var text: String {
        switch self {
        case .notANumber: return "NaN"
        case .infinity(let isNegative): return isNegative ? "-Infinity" : "Infinity"
        case .finite(let isNegative, let significand, let exponent):
            let sign = isNegative ? "-" : ""
            return sign + Self.text(digits: String(significand), exponent: exponent)
        }
    }

    private static func text(digits: String, exponent: Int) -> String {
        let scientificExponent = exponent + digits.count - 1
        if exponent > 0 || scientificExponent < -6 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let sign = scientificExponent < 0 ? "" : "+"
            return digits.prefix(1) + fraction + "E\(sign)\(scientificExponent)"
        }
        if exponent == 0 { return digits }
        let wholeCount = digits.count + exponent
        if wholeCount > 0 { return digits.prefix(wholeCount) + "." + digits.dropFirst(wholeCount) }
        return "0." + String(repeating: "0", count: -wholeCount) + digits
    }
}
