/// A decimal floating-point number of 16 bytes (IEEE 754-2008, binary integer significand), read
/// only as far as an order of numbers needs.
struct Decimal128 {
    private let low: UInt64
    private let high: UInt64

    /// - Parameter value: sixteen bytes, little-endian.
    init(littleEndian value: UnsafeRawBufferPointer) {
        low = UInt64(littleEndian: loadInteger(value, 0))
        high = UInt64(littleEndian: loadInteger(value, 8))
    }

    /// The nearest double: never orders two numbers the wrong way round, may make two of them
    /// equal.
    var nearestDouble: Double {
        let sign: Double = high >> 63 == 0 ? 1 : -1
        let combination = high >> 58 & 0x1F
        if combination == 0x1F { return .nan }
        if combination == 0x1E { return sign * .infinity }
        // With the two top bits set the significand exceeds 34 digits, which the standard reads as
        // zero.
        if combination >> 3 == 0b11 { return 0 }
        let exponent = Int(high >> 49 & 0x3FFF) - 6176
        let significand = UInt128(high & 0x1_FFFF_FFFF_FFFF) << 64 | UInt128(low)
        guard significand < 10_000_000_000_000_000_000_000_000_000_000_000 else { return 0 }
        // Parsing rounds correctly, and correct rounding keeps the order.
        return sign * (Double("\(significand)e\(exponent)") ?? .nan)
    }
}
