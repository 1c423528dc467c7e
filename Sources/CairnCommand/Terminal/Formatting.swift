internal import SnapshotJSON

/// Numbers as people read them: decimal units, commas between thousands, few digits.
enum Formatting {
    /// `200,000`.
    static func count(_ count: UInt64) -> String {
        let digits = Array(String(count))
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }

    /// `1 document`, `200,000 documents`.
    static func count(_ count: UInt64, _ noun: String) -> String {
        "\(Formatting.count(count)) \(noun)\(count == 1 ? "" : "s")"
    }

    /// `171 MB`; a unit is a thousand of the one below. Two digits at least.
    static func bytes(_ byteCount: UInt64) -> String {
        guard byteCount >= 1000 else { return "\(byteCount) B" }
        var value = Double(byteCount)
        for unit in ["kB", "MB", "GB", "TB", "PB", "EB"] {
            value /= 1000
            // What is 999.5 or more would be rounded to a thousand.
            if value < 999.5 || unit == "EB" {
                return "\(decimal(value, digitCount: value < 9.95 ? 1 : 0)) \(unit)"
            }
        }
        preconditionFailure("the last unit takes all")
    }

    /// `143 MB/s`; nothing where no time has passed.
    static func rate(_ byteCount: UInt64, seconds: Double) -> String? {
        per(byteCount, seconds).map { "\(bytes($0))/s" }
    }

    /// A number of things each second, rounded; nil where no time has passed.
    static func per(_ count: UInt64, _ seconds: Double) -> UInt64? {
        seconds > 0 ? UInt64(exactly: (Double(count) / seconds).rounded()) : nil
    }

    /// `45.6 %`.
    static func percent(_ part: UInt64, of whole: UInt64) -> String? {
        whole == 0 ? nil : "\(decimal(Double(part) / Double(whole) * 100, digitCount: 1)) %"
    }

    /// `5 ms`, `0.3 s`, `1 min 05 s`, `2 h 03 min`.
    static func duration(_ seconds: Double) -> String {
        if seconds < 0.0995 { return "\(decimal(max(0, seconds) * 1000, digitCount: 0)) ms" }
        guard seconds >= 59.95 else { return "\(decimal(seconds, digitCount: 1)) s" }
        return wholeDuration(seconds)
    }

    /// `3 s`, `1 min 05 s`, `2 h 03 min`.
    static func wholeDuration(_ seconds: Double) -> String {
        guard let whole = Int(exactly: max(0, seconds).rounded()) else { return "0 s" }
        guard whole >= 60 else { return "\(whole) s" }
        guard whole >= 3600 else { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
        return "\(whole / 3600) h \(twoDigits(whole / 60 % 60)) min"
    }

    /// A number with so many digits after the point, at most 18 before it; `0` for what is no
    /// number.
    static func decimal(_ value: Double, digitCount: Int) -> String {
        JSONValue.decimal(value, digitCount: digitCount)
    }

    /// Text that can't steer a terminal: control, format and line-breaking characters become
    /// `\n`, `\t` or `\u{1b}`.
    static func visible(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                switch scalar {
                case "\n": result += "\\n"
                case "\r": result += "\\r"
                case "\t": result += "\\t"
                default: result += "\\u{\(String(scalar.value, radix: 16))}"
                }
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
