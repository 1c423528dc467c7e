/// A pseudo-random generator of 64 bits of state (Steele, Lea, Flood: "Fast splittable
/// pseudorandom number generators", 2014). One multiplication chain a number, the same numbers on
/// every platform, and any 64-bit seed is a good one, so each document can have its own.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter seed: any value; neighbouring seeds give unrelated numbers.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits, uniformly distributed.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// A number from zero up to but without `bound`, by multiplication instead of division.
    ///
    /// - Parameter bound: 1 to 2^32. The bias is below `bound` / 2^32.
    public mutating func below(_ bound: Int) -> Int {
        assert(bound >= 1 && bound <= 1 << 32)
        return Int(truncatingIfNeeded: (next() >> 32 &* UInt64(truncatingIfNeeded: bound)) >> 32)
    }

    /// A number from zero up to but without `bound`, small ones far more often: the product of two
    /// uniform numbers. Words of a language and customers of a business look about like that.
    ///
    /// - Parameter bound: 1 to 2^31.
    public mutating func skewed(below bound: Int) -> Int {
        let bits = next()
        let product = (bits >> 32 &* (bits & 0xFFFF_FFFF)) >> 32
        return Int(truncatingIfNeeded: (product &* UInt64(truncatingIfNeeded: bound)) >> 32)
    }

    /// True `percent` times in a hundred.
    public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// Spreads every bit of the input over the whole output; a bijection.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
