import Testing

/// Reads the text format 0.0.4 and refuses everything that Prometheus refuses, and more: families
/// in one piece, each with `HELP` and `TYPE`, series given once, histograms that add up.
struct StrictParser {
    /// A refusal.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A metric with its sample lines.
    struct Family: Equatable {
        var kind: String
        var help: String
        /// By name and sorted labels, as `x_bucket{a="b",le="1"}`, values unescaped.
        var samples: [Key: Double] = [:]
    }

    struct Key: Hashable {
        let name: String
        let labels: [String: String]
    }

    private(set) var families: [String: Family] = [:]
    private(set) var order: [String] = []
    private var current = ""

    init(_ text: String) throws {
        guard text.isEmpty || text.hasSuffix("\n") else {
            throw Failure(description: "the last line does not end")
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            try read(String(line))
        }
        for (name, family) in families where family.kind == "histogram" {
            try Self.checkHistogram(name, family)
        }
    }

    /// The value of a series.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = families.values.compactMap { $0.samples[Key(name: name, labels: labels)] }
        return found.first
    }

    private mutating func read(_ line: String) throws {
        if line.hasPrefix("# HELP ") {
            let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1)
            let name = String(parts[0])
            guard families[name] == nil else { throw Failure(description: "\(name) twice") }
            guard Self.isName(name) else { throw Failure(description: "name: \(line)") }
            families[name] = Family(kind: "", help: parts.count > 1 ? String(parts[1]) : "")
            order.append(name)
            current = name
        } else if line.hasPrefix("# TYPE ") {
            let parts = line.dropFirst(7).split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == current,
                ["counter", "gauge", "histogram"].contains(parts[1])
            else { throw Failure(description: "type: \(line)") }
            families[current]?.kind = String(parts[1])
        } else {
            var scanner = LineScanner(line)
            let (key, value) = try scanner.sample()
            try add(key, value)
        }
    }

    private mutating func add(_ key: Key, _ value: Double) throws {
        let isHistogram = families[current]?.kind == "histogram"
        let names = isHistogram ? ["_bucket", "_sum", "_count"].map { current + $0 } : [current]
        guard families[current]?.kind.isEmpty == false, names.contains(key.name) else {
            throw Failure(description: "\(key) outside of its family")
        }
        guard (key.labels["le"] != nil) == key.name.hasSuffix("_bucket") || !isHistogram else {
            throw Failure(description: "\(key) and le")
        }
        guard families[current]?.samples.updateValue(value, forKey: key) == nil else {
            throw Failure(description: "\(key) twice")
        }
    }

    private static func checkHistogram(_ name: String, _ family: Family) throws {
        let counts = family.samples.filter { $0.key.name == name + "_count" }
        guard !counts.isEmpty else { throw Failure(description: "\(name) has no count") }
        for (key, count) in counts {
            let buckets = family.samples.compactMap { sample -> (Double, Double)? in
                var labels = sample.key.labels
                guard sample.key.name == name + "_bucket", let bound = labels["le"],
                    labels.removeValue(forKey: "le") != nil, labels == key.labels
                else { return nil }
                return (bound == "+Inf" ? .infinity : Double(bound) ?? .nan, sample.value)
            }.sorted { $0.0 < $1.0 }
            guard buckets.last?.0 == .infinity, buckets.last?.1 == count,
                zip(buckets, buckets.dropFirst()).allSatisfy({ $0.1 <= $1.1 && $0.0 < $1.0 }),
                family.samples[Key(name: name + "_sum", labels: key.labels)] != nil
            else { throw Failure(description: "\(name) does not add up") }
        }
    }

    static func isName(_ text: some StringProtocol) -> Bool {
        String(text).wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*/) != nil
    }
}

/// One sample line.
private struct LineScanner {
    private var rest: Substring
    private let line: String

    init(_ line: String) {
        self.line = line
        rest = line[...]
    }

    mutating func sample() throws -> (StrictParser.Key, Double) {
        let name = rest.prefix { $0 != "{" && $0 != " " }
        guard StrictParser.isName(name) else { throw failure }
        rest.removeFirst(name.count)
        var labels: [String: String] = [:]
        if take("{") {
            repeat {
                let (name, value) = try label()
                guard labels.updateValue(value, forKey: name) == nil else { throw failure }
            } while take(",")
            guard take("}") else { throw failure }
        }
        guard take(" ") else { throw failure }
        return (StrictParser.Key(name: String(name), labels: labels), try number())
    }

    private mutating func label() throws -> (String, String) {
        let name = rest.prefix { $0 != "=" }
        guard StrictParser.isName(name), !name.hasPrefix("__") else { throw failure }
        rest.removeFirst(name.count)
        guard take("="), take("\"") else { throw failure }
        var value = ""
        while let scalar = rest.unicodeScalars.first, scalar != "\"" {
            rest.unicodeScalars.removeFirst()
            guard scalar == "\\" else {
                value.unicodeScalars.append(scalar)
                continue
            }
            switch rest.unicodeScalars.popFirst() {
            case "\\": value += "\\"
            case "\"": value += "\""
            case "n": value += "\n"
            default: throw failure
            }
        }
        guard take("\"") else { throw failure }
        return (String(name), value)
    }

    private func number() throws -> Double {
        switch rest {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default:
            guard rest.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/) != nil,
                let value = Double(rest)
            else { throw failure }
            return value
        }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.unicodeScalars.first == scalar else { return false }
        rest.unicodeScalars.removeFirst()
        return true
    }

    private var failure: StrictParser.Failure { StrictParser.Failure(description: line) }
}
