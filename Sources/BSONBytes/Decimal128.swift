/// A decimal floating-point number of 16 bytes (IEEE 754-2008, binary integer significand), read
/// as far as an order of numbers needs.
public enum Decimal128: Hashable, Sendable {
    /// (-1)^sign × significand × 10^exponent; the significand has at most 34 digits, the exponent
    /// is -6176 to 6111.
    case finite(isNegative: Bool, significand: UInt128, exponent: Int)
    /// Beyond all numbers.
    case infinity(isNegative: Bool)
    /// Any NaN.
    case notANumber

    private static let significandLimit: UInt128 = 10_000_000_000_000_000_000_000_000_000_000_000

    /// - Parameter value: sixteen bytes, little-endian.
    public init(littleEndian value: UnsafeRawBufferPointer) {
        let low = UInt64(littleEndian: loadInteger(value, 0))
        let high = UInt64(littleEndian: loadInteger(value, 8))
        let isNegative = high >> 63 == 1
        let combination = high >> 58 & 0x1F
        if combination == 0x1F {
            self = .notANumber
        } else if combination == 0x1E {
            self = .infinity(isNegative: isNegative)
        } else if combination >> 3 == 0b11 {
            // With the two top bits set the significand exceeds 34 digits, which the standard
            // reads as zero.
            let exponent = Int(high >> 47 & 0x3FFF) - 6176
            self = .finite(isNegative: isNegative, significand: 0, exponent: exponent)
        } else {
            let significand = UInt128(high & 0x1_FFFF_FFFF_FFFF) << 64 | UInt128(low)
            self = .finite(
                isNegative: isNegative,
                significand: significand < Self.significandLimit ? significand : 0,
                exponent: Int(high >> 49 & 0x3FFF) - 6176)
        }
    }

    /// The nearest double: never orders two numbers the wrong way round, may make two of them
    /// equal.
    public var nearestDouble: Double {
        switch self {
        case .notANumber: return .nan
        case .infinity(let isNegative): return isNegative ? -.infinity : .infinity
        case .finite(_, 0, _): return 0
        case .finite(let isNegative, let significand, let exponent):
            // Parsing rounds correctly, and correct rounding keeps the order.
            let magnitude = Double("\(significand)e\(exponent)") ?? .nan
            return isNegative ? -magnitude : magnitude
        }
    }
}
