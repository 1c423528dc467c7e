internal import ArgumentParser

/// A number of bytes as people write it: `4MiB`, `256KiB`, `1000000`.
struct ByteSize: ExpressibleByArgument, Equatable, Sendable {
    let byteCount: Int

    private static let units = [
        "": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "kb": 1000, "mb": 1_000_000,
    ]

    /// Nil for what is no size, or one beyond what a number holds.
    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let unit = argument.dropFirst(digits.count).lowercased()
        guard let count = Int(digits), let scale = Self.units[unit] else { return nil }
        let (product, overflows) = count.multipliedReportingOverflow(by: scale)
        guard !overflows else { return nil }
        byteCount = product
    }
}
