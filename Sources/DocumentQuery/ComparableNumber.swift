internal import BSONBytes

/// A number of any BSON type, compared by its exact value: no number is rounded to the type of the
/// other. NaN is equal to NaN and below every other number; the two zeros are equal.
enum ComparableNumber: Sendable {
    /// An int32 or an int64.
    case whole(Int64)
    /// A double.
    case double(Double)
    /// A decimal128.
    case decimal(Decimal128)

    /// The number of a value; nil for values of other types.
    init?(_ value: RawValue) {
        switch value.type {
        case .int32: self = .whole(Int64(value.integer(as: Int32.self)))
        case .int64: self = .whole(value.integer())
        case .double: self = .double(Double(bitPattern: value.integer()))
        case .decimal128: self = .decimal(Decimal128(littleEndian: value.bytes))
        default: return nil
        }
    }

    /// Whether it is any NaN.
    var isNaN: Bool {
        switch self {
        case .whole: false
        case .double(let number): number.isNaN
        case .decimal(let number): number == .notANumber
        }
    }

    /// Below zero when `self` comes first, zero when both are equal.
    func order(_ other: ComparableNumber) -> Int {
        if isNaN || other.isNaN { return (isNaN ? 0 : 1) - (other.isNaN ? 0 : 1) }
        switch (self, other) {
        case (.whole(let left), .whole(let right)): return Self.order(left, right)
        case (.double(let left), .double(let right)): return Self.order(left, right)
        case (.whole(let left), .double(let right)): return Self.order(left, right)
        case (.double(let left), .whole(let right)): return -Self.order(right, left)
        case (.decimal(let left), .decimal(let right)): return Self.order(left, right)
        case (.whole(let left), .decimal(let right)):
            return Self.order(Self.decimal(left), right)
        case (.decimal(let left), .whole(let right)):
            return Self.order(left, Self.decimal(right))
        case (.double(let left), .decimal(let right)): return Self.order(left, right)
        case (.decimal(let left), .double(let right)): return -Self.order(right, left)
        }
    }

    // MARK: Pairs of types

    private static func order<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }

    private static func order(_ left: Int64, _ right: Double) -> Int {
        // 2^63, the first double above every int64.
        let limit = 9_223_372_036_854_775_808.0
        if right >= limit { return -1 }
        if right < -limit { return 1 }
        let whole = right.rounded(.towardZero)
        let order = order(left, Int64(whole))
        return order == 0 ? Self.order(whole, right) : order
    }

    private static func decimal(_ number: Int64) -> Decimal128 {
        .finite(isNegative: number < 0, significand: UInt128(number.magnitude), exponent: 0)
    }

    /// Neither is NaN.
    private static func order(_ left: Decimal128, _ right: Decimal128) -> Int {
        guard case .finite(let isNegative, let significand, let exponent) = left else {
            return left == right ? 0 : left == .infinity(isNegative: true) ? -1 : 1
        }
        guard case .finite(let isOtherNegative, let otherSignificand, let otherExponent) = right
        else { return right == .infinity(isNegative: true) ? 1 : -1 }
        let sign = significand == 0 ? 0 : isNegative ? -1 : 1
        let otherSign = otherSignificand == 0 ? 0 : isOtherNegative ? -1 : 1
        guard sign == otherSign, sign != 0 else { return order(sign, otherSign) }
        let top = exponent + String(significand).utf8.count
        let otherTop = otherExponent + String(otherSignificand).utf8.count
        guard top == otherTop else { return sign * order(top, otherTop) }
        // Of as many digits before the point, so the exponents differ by 33 at most, and the
        // significand that is scaled gets no longer than the other.
        let least = min(exponent, otherExponent)
        return sign
            * order(
                significand * powerOfTen(exponent - least),
                otherSignificand * powerOfTen(otherExponent - least))
    }

    private static func powerOfTen(_ exponent: Int) -> UInt128 {
        (0..<exponent).reduce(1) { power, _ in power * 10 }
    }

    /// Neither is NaN. Where rounding the decimal to a double tells them apart, so would the exact
    /// values; only else those are compared, as whole numbers of any size.
    private static func order(_ left: Double, _ right: Decimal128) -> Int {
        let rough = order(left, right.nearestDouble)
        guard rough == 0, case .finite(let isNegative, let significand, let exponent) = right else {
            return rough
        }
        guard left != 0 else { return significand == 0 ? 0 : isNegative ? 1 : -1 }
        guard left.isFinite else { return left > 0 ? 1 : -1 }
        // left = m · 2^e, right = s · 10^x; both sides times 2^max(0, -e) · 10^max(0, -x).
        let mantissa = UInt64(left.significandBitPattern) | (left.isNormal ? 1 << 52 : 0)
        let power = Int(left.isNormal ? left.exponent : -1022) - 52
        var exact = WholeNumber(UInt128(mantissa))
        var other = WholeNumber(significand)
        exact.multiply(by: 2, times: max(power, 0))
        exact.multiply(by: 10, times: max(-exponent, 0))
        other.multiply(by: 2, times: max(-power, 0))
        other.multiply(by: 10, times: max(exponent, 0))
        return (isNegative ? -1 : 1) * exact.order(other)
    }
}

/// A whole number of any size, as far as an exact comparison needs it.
private struct WholeNumber {
    /// Least significant first; the last one is not zero.
    private var digits: [UInt32] = []

    init(_ number: UInt128) {
        var rest = number
        while rest > 0 {
            digits.append(UInt32(truncatingIfNeeded: rest))
            rest >>= 32
        }
    }

    mutating func multiply(by factor: UInt32, times count: Int) {
        for _ in 0..<count {
            var carry: UInt64 = 0
            for position in digits.indices {
                carry += UInt64(digits[position]) * UInt64(factor)
                digits[position] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            if carry > 0 { digits.append(UInt32(carry)) }
        }
    }

    func order(_ other: WholeNumber) -> Int {
        guard digits.count == other.digits.count else {
            return digits.count < other.digits.count ? -1 : 1
        }
        for position in digits.indices.reversed()
        where digits[position] != other.digits[position] {
            return digits[position] < other.digits[position] ? -1 : 1
        }
        return 0
    }
}
