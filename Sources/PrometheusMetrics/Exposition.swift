/// Prometheus's text format 0.0.4, written.
enum Exposition {
    /// A family as it is at one moment.
    struct Snapshot {
        let name: String
        let kind: Family.Kind
        let help: String
        var bounds: [Double] = []
        /// With the labels as text.
        var readings: [(labels: String, reading: Reading)]
    }

    /// Families sorted by name, their series by labels.
    static func text(_ families: [Snapshot]) -> String {
        var text = ""
        for family in families.sorted(by: { $0.name < $1.name }) {
            text += "# HELP \(family.name) \(MetricName.escapedHelp(family.help))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for (labels, reading) in family.readings.sorted(by: { $0.labels < $1.labels }) {
                switch reading {
                case .number(let number):
                    text += line(family.name, labels, number)
                case .histogram(let counts, let sum):
                    text += histogram(family, labels, counts: counts, sum: sum)
                }
            }
        }
        return text
    }

    /// A number as Prometheus reads it back exactly.
    static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
        if abs(number) < 9_007_199_254_740_992, number == number.rounded(), number != 0 {
            return "\(Int64(number))"
        }
        return number == 0 ? "0" : "\(number)"
    }

    /// Buckets hold everything up to their bound: each adds to the one before.
    private static func histogram(
        _ family: Snapshot, _ labels: String, counts: [UInt64], sum: Double
    ) -> String {
        var lines = ""
        var total: UInt64 = 0
        let prefix = labels.isEmpty ? "" : labels + ","
        for (count, bound) in zip(counts, family.bounds + [.infinity]) {
            total += count
            lines += line(
                "\(family.name)_bucket", "\(prefix)le=\"\(text(bound))\"", "\(total)")
        }
        lines += line("\(family.name)_sum", labels, text(sum))
        lines += line("\(family.name)_count", labels, "\(total)")
        return lines
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
