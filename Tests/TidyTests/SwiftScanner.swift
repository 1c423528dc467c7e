/// Walks over Swift text once and sorts its bytes into code and comments.
struct SwiftScanner {
    /// Code; blanks elsewhere. Of a string literal the quotes remain.
    private(set) var code: [UInt8]
    /// Comments; blanks elsewhere.
    private(set) var comments: [UInt8]
    /// What string literals hold, by the position of their first byte.
    private(set) var literals: [Int: [UInt8]] = [:]

    private let bytes: [UInt8]
    private var position = 0
    /// The last byte of code that is not blank, which tells a division from a regular expression.
    private var lastCode = UInt8(ascii: "\n")

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let blank = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
        code = blank
        comments = blank
    }

    /// Letters, digits, the underscore and everything beyond ASCII.
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...: true
        default: false
        }
    }

    /// Scans code to the end, or to the parenthesis that ends an interpolation.
    mutating func scanCode(interpolation: Bool) {
        var depth = 1
        while position < bytes.count {
            if scanComment() || scanLiteral() { continue }
            if interpolation {
                if bytes[position] == UInt8(ascii: "(") { depth += 1 }
                if bytes[position] == UInt8(ascii: ")") { depth -= 1 }
                if depth == 0 { return }
            }
            if bytes[position] > 0x20 { lastCode = bytes[position] }
            take()
        }
    }

    // MARK: Comments

    private mutating func scanComment() -> Bool {
        if matches("//") {
            while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { takeComment() }
            return true
        }
        guard matches("/*") else { return false }
        var depth = 0
        while position < bytes.count {
            if matches("/*") {
                depth += 1
                takeComment()
            } else if matches("*/") {
                depth -= 1
                takeComment()
            }
            takeComment()
            if depth == 0 { break }
        }
        return true
    }

    // MARK: Literals

    /// A string, a regular expression or a quoted identifier, if one begins here.
    private mutating func scanLiteral() -> Bool {
        if bytes[position] == UInt8(ascii: "`") { return scanQuotedIdentifier() }
        var hashes = 0
        while byte(position + hashes) == UInt8(ascii: "#") { hashes += 1 }
        switch byte(position + hashes) {
        case UInt8(ascii: "\""):
            scanString(hashes: hashes)
        case UInt8(ascii: "/") where hashes > 0:
            scanRegularExpression(hashes: hashes)
        case UInt8(ascii: "/") where beginsRegularExpression():
            scanRegularExpression(hashes: 0)
        default:
            return false
        }
        lastCode = UInt8(ascii: "\"")
        return true
    }

    private mutating func scanQuotedIdentifier() -> Bool {
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "`") { position += 1 }
        position += 1
        lastCode = UInt8(ascii: "`")
        return true
    }

    private mutating func scanString(hashes: Int) {
        let start = position
        position += hashes
        let fence = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        let isLong = matches("\"\"\"") && !closesOnThisLine(fence)
        let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: isLong ? 3 : 1)
        position += quotes.count
        let textStart = position
        while position < bytes.count, !matches(quotes + fence) {
            if bytes[position] == UInt8(ascii: "\n"), !isLong { break }
            guard matches([UInt8(ascii: "\\")] + fence) else {
                position += 1
                continue
            }
            position += 1 + hashes
            let escaped = byte(position)
            position += 1
            if escaped == UInt8(ascii: "(") {
                scanCode(interpolation: true)
                position += 1
            }
        }
        literals[start] = Array(bytes[textStart..<min(position, bytes.count)])
        code[start] = UInt8(ascii: "\"")
        position += quotes.count + hashes
    }

    /// Whether a raw string that begins with three quotes is a short one whose text begins with
    /// two.
    private func closesOnThisLine(_ fence: [UInt8]) -> Bool {
        guard !fence.isEmpty else { return false }
        let line = bytes[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        return line.indices.contains { line[$0...].starts(with: [UInt8(ascii: "\"")] + fence) }
    }

    private mutating func scanRegularExpression(hashes: Int) {
        let fence = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        position += hashes + 1
        while position < bytes.count, !matches([UInt8(ascii: "/")] + fence) {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position += hashes + 1
    }

    /// A slash opens a regular expression where a value may begin, when no blank follows it and
    /// another slash closes it on the same line.
    private func beginsRegularExpression() -> Bool {
        guard "\n(,=:[{!&|?;".utf8.contains(lastCode) else { return false }
        var cursor = position + 1
        guard let next = byte(cursor), next > 0x20, next != UInt8(ascii: "=") else { return false }
        while let current = byte(cursor), current != UInt8(ascii: "\n") {
            if current == UInt8(ascii: "/") { return true }
            cursor += current == UInt8(ascii: "\\") ? 2 : 1
        }
        return false
    }

    // MARK: Bytes

    private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private func matches(_ text: String) -> Bool { matches(Array(text.utf8)) }

    private func matches(_ wanted: [UInt8]) -> Bool {
        guard bytes.count - position >= wanted.count else { return false }
        return bytes[position..<position + wanted.count].elementsEqual(wanted)
    }

    private mutating func take() {
        code[position] = bytes[position]
        position += 1
    }

    private mutating func takeComment() {
        guard position < bytes.count else { return }
        comments[position] = bytes[position]
        position += 1
    }
}
