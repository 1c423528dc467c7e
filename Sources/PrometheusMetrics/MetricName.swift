/// Names and values as the text format takes them.
enum MetricName {
    /// Of names and of label values; what is longer is cut.
    static let byteCountMax = 256
    /// Labels of one series; what comes after is left out.
    static let labelCountMax = 16

    /// A metric's name: letters, digits and `_`, no digit first. Everything else becomes `_`;
    /// colons, too, which belong to those who write recording rules.
    static func metric(_ label: String) -> String {
        plain(label)
    }

    /// A label's name. Two underscores first are Prometheus's own, as is `le` of a histogram.
    static func label(_ name: String) -> String {
        var plain = plain(name)
        while plain.hasPrefix("__") { plain.removeFirst() }
        return plain == "le" ? "label_le" : plain
    }

    /// `name="value",…` sorted by name: what tells the series of a metric apart. Of labels that
    /// come to the same name the first counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var seen: Set<String> = []
        let pairs = dimensions.prefix(labelCountMax).compactMap { name, value in
            let name = label(name)
            return seen.insert(name).inserted ? (name, escapedValue(value)) : nil
        }
        return pairs.sorted { $0.0 < $1.0 }.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
    }

    /// Text of a `HELP` line: one line.
    static func escapedHelp(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    private static func escapedValue(_ text: String) -> String {
        var result = ""
        var byteCount = 0
        for scalar in text.unicodeScalars {
            byteCount += UTF8.width(scalar)
            guard byteCount <= byteCountMax else { break }
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func plain(_ text: String) -> String {
        let bytes = text.utf8.prefix(byteCountMax).map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: byte
            default: UInt8(ascii: "_")
            }
        }
        let plain = String(decoding: bytes, as: UTF8.self)
        let startsWithDigit = bytes.first.map { (0x30...0x39).contains($0) } ?? true
        return startsWithDigit ? "_" + plain : plain
    }
}
