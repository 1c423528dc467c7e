/// The upper bounds that a histogram counts by; `+Inf` follows them.
public struct HistogramBuckets: Hashable, Sendable {
    /// Ascending and finite.
    public let upperBounds: [Double]

    /// Buckets with these bounds.
    ///
    /// - Precondition: there are 1 to 64 bounds, finite and ascending.
    public init(_ upperBounds: [Double]) {
        precondition((1...64).contains(upperBounds.count), "1 to 64 bounds")
        precondition(upperBounds.allSatisfy(\.isFinite), "finite bounds")
        precondition(
            zip(upperBounds, upperBounds.dropFirst()).allSatisfy { $0 < $1 }, "ascending bounds")
        self.upperBounds = upperBounds
    }

    /// For timers: from a millisecond, for requests, to two hours, for backups.
    public static let seconds = HistogramBuckets([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
        7200,
    ])

    /// For recorders: powers of four from 1 to 4^15, about a thousand million.
    public static let values = HistogramBuckets((0...15).map { Double(1 << (2 * $0)) })
}
