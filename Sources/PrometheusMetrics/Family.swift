/// All series of one metric.
struct Family {
    /// The word in its `TYPE` line.
    enum Kind: String {
        case counter, gauge, histogram
    }

    let kind: Kind
    var help: String
    /// Of histograms.
    let buckets: HistogramBuckets?
    /// By their labels as text.
    var series: [String: any Series] = [:]

    /// The names of its sample lines, and its own: none of them may be another metric's.
    static func names(_ name: String, _ kind: Kind) -> [String] {
        switch kind {
        case .counter, .gauge: [name]
        case .histogram: [name, "\(name)_bucket", "\(name)_count", "\(name)_sum"]
        }
    }
}
