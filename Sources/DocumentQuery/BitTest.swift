internal import BSONBytes

/// What `$bitsAllSet` and its three relatives ask of a whole number or of bytes. Bit 0 is the
/// lowest bit of the first byte.
struct BitTest: Sendable {
    /// Which bits must be how.
    enum Kind: Sendable {
        case allSet, allClear, anySet, anyClear
    }

    /// The largest position that can be asked for.
    static let positionMax = Int64(Int32.max)

    let kind: Kind
    private let positions: [Int]

    init(_ kind: Kind, positions: [Int]) {
        self.kind = kind
        self.positions = positions
    }

    /// Whether the bits of a value are so; values of other types have none.
    func passes(_ value: RawValue) -> Bool {
        switch value.type {
        case .int32: passes(Int64(value.integer(as: Int32.self)))
        case .int64: passes(value.integer(as: Int64.self))
        case .double:
            // A number with a fraction, or beyond 64 bits, has no bits.
            Int64(exactly: Double(bitPattern: value.integer())).map(passes) ?? false
        case .decimal128: passes(Decimal128(littleEndian: value.bytes).nearestInteger)
        case .binary: passes { Self.isSet($0, in: value.bytes) }
        default: false
        }
    }

    /// A number goes on to the left with its sign.
    private func passes(_ number: Int64) -> Bool {
        passes { position in number >> min(position, 63) & 1 == 1 }
    }

    /// Behind the length and the subtype.
    private static func isSet(_ position: Int, in binary: UnsafeRawBufferPointer) -> Bool {
        let offset = 5 + position / 8
        return offset < binary.count && binary[offset] >> UInt8(position % 8) & 1 == 1
    }

    private func passes(_ isSet: (Int) -> Bool) -> Bool {
        switch kind {
        case .allSet: positions.allSatisfy(isSet)
        case .allClear: !positions.contains(where: isSet)
        case .anySet: positions.contains(where: isSet)
        case .anyClear: !positions.allSatisfy(isSet)
        }
    }
}

extension Decimal128 {
    /// The whole number of 64 bits that servers take a decimal's bits from: the nearest, of two the
    /// even one; the smallest for NaN and beyond 64 bits.
    fileprivate var nearestInteger: Int64 {
        guard case .finite(let isNegative, let significand, let exponent) = self else {
            return .min
        }
        var whole = significand
        // Of a significand of 34 digits nothing is left after as many divisions.
        if exponent < 0 {
            let divisor = Self.powerOfTen(min(-exponent, 35))
            let (quotient, rest) = significand.quotientAndRemainder(dividingBy: divisor)
            let isUp = rest > divisor / 2 || rest == divisor / 2 && quotient & 1 == 1
            whole = quotient + (isUp ? 1 : 0)
        } else if whole > 0 {
            guard exponent < 19, whole <= UInt128(UInt64.max) else { return .min }
            whole *= Self.powerOfTen(exponent)
        }
        guard whole <= UInt128(Int64.max) else { return .min }
        return isNegative ? -Int64(whole) : Int64(whole)
    }

    private static func powerOfTen(_ exponent: Int) -> UInt128 {
        (0..<exponent).reduce(1) { power, _ in power * 10 }
    }
}
