import Glibc

/// What the demonstration prints: plain text, emphasis only where somebody looks at a terminal.
enum Terminal {
    private static let isColorful =
        isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil

    /// Prints a line at once, for programs we start write to the same place.
    static func say(_ line: String = "") {
        print(line)
        fflush(nil)
    }

    /// Prints a line to standard error.
    static func complain(_ line: String) {
        let bytes = Array("cairn-demo: \(line)\n".utf8)
        // Nobody is left to tell when this fails.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    static func bold(_ text: String) -> String { styled(text, "1") }
    static func green(_ text: String) -> String { styled(text, "32") }
    static func red(_ text: String) -> String { styled(text, "31") }

    private static func styled(_ text: String, _ code: String) -> String {
        isColorful ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

extension String {
    /// Filled up with spaces behind.
    func padded(to count: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, count - self.count))
    }

    /// Filled up with spaces in front.
    func flushRight(to count: Int) -> String {
        String(repeating: " ", count: Swift.max(0, count - self.count)) + self
    }

    /// As it is to be typed in a shell.
    var quotedForShell: String {
        let plain = allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=".contains($0))
        }
        return plain && !isEmpty
            ? self
            : "'"
                + split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }
}

extension BinaryInteger {
    /// With commas: 200,000.
    var grouped: String {
        var text = ""
        for (index, digit) in String(magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (self < 0 ? "-" : "") + String(text.reversed())
    }
}

extension Double {
    /// With one digit after the point: 12.3.
    var tenths: String {
        let tenths = Int((self * 10).rounded())
        return "\((tenths / 10).grouped).\(abs(tenths % 10))"
    }
}

extension Duration {
    /// The same as a number of seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
