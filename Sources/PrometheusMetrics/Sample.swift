/// One value that a collector reads when metrics are scraped.
public struct Sample: Hashable, Sendable {
    /// What kind of metric it belongs to.
    public enum Kind: String, Hashable, Sendable {
        /// Goes up and down.
        case gauge
        /// Only goes up.
        case counter
    }

    /// The metric's name, cleaned when written; a counter's gets `_total` if it does not end so.
    public let name: String
    /// Gauge or counter; the same for all samples of a name.
    public let kind: Kind
    /// The value now.
    public let value: Double
    /// What tells it apart from others of the name.
    public let labels: [String: String]
    /// What the metric tells, in a line.
    public let help: String

    /// A value of a metric.
    public init(
        _ name: String, kind: Kind = .gauge, value: Double, labels: [String: String] = [:],
        help: String = ""
    ) {
        self.name = name
        self.kind = kind
        self.value = value
        self.labels = labels
        self.help = help
    }
}
