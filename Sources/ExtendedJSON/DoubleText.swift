/// A double as the Go driver spells it (`strconv` format `G` with the fewest digits that read back
/// as the same number): an exponent of at least two digits below 1E-04 and from 1E+06, and `.0`
/// after what would look like an integer.
func goText(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    let sign = number.sign == .minus ? "-" : ""
    if number == 0 { return sign + "0.0" }
    let (digits, exponent) = shortestDigits(number.magnitude)
    return sign + ((-4..<6).contains(exponent) ? plain : scientific)(digits, exponent)
}

/// The digits without leading and trailing zeros, and the power of ten of the first of them.
private func shortestDigits(_ number: Double) -> (digits: String, exponent: Int) {
    // The standard library's description has the right digits in a spelling of its own.
    let parts = number.description.split(separator: "e")
    let power = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let all = mantissa.joined()
    let significant = all.drop { $0 == "0" }
    let leadingZeroCount = all.count - significant.count
    let trailingZeroCount = significant.reversed().prefix { $0 == "0" }.count
    return (
        String(significant.dropLast(trailingZeroCount)),
        mantissa[0].count - 1 - leadingZeroCount + power
    )
}

private func plain(_ digits: String, _ exponent: Int) -> String {
    if exponent < 0 {
        return "0." + String(repeating: "0", count: -exponent - 1) + digits
    }
    let wholeCount = exponent + 1
    if digits.count <= wholeCount {
        return digits + String(repeating: "0", count: wholeCount - digits.count) + ".0"
    }
    return digits.prefix(wholeCount) + "." + digits.dropFirst(wholeCount)
}

private func scientific(_ digits: String, _ exponent: Int) -> String {
    let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
    let power = String(exponent.magnitude)
    return digits.prefix(1) + fraction + "E" + (exponent < 0 ? "-" : "+")
        + (power.count < 2 ? "0" + power : power)
}
