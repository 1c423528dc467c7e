/// What PCRE means by a regular expression, written for Swift's engine where both differ: `.` is
/// all but a line feed, `$` also holds before a last line feed, `{` without a first number is
/// itself, and so are `&&`, `--` and `~~` in a set.
///
/// An expression that switches options within itself, such as `(?s)`, is left as it is.
struct PatternTranslation {
    /// The translated expression.
    private(set) var text = ""
    private let options: String
    private var rest: Substring

    init(_ pattern: TextPattern) {
        options = pattern.options
        rest = pattern.text[...]
        if Self.switchesOptions(pattern.text) {
            text = pattern.text
        } else {
            while !rest.isEmpty { takeOne() }
        }
    }

    private static func switchesOptions(_ text: String) -> Bool {
        text.ranges(of: "(?").contains { range in
            guard let next = text[range.upperBound...].first else { return false }
            return next.isLetter && next != "P" || next == "-" || next == "^"
        }
    }

    private mutating func takeOne() {
        let character = rest.removeFirst()
        switch character {
        case "\\": takeEscape()
        case "[": takeSet()
        case "." where !options.contains("s"): text += "[^\\n]"
        case "$" where !options.contains("m"): text += "\\Z"
        case "{" where rest.first.map { !("0"..."9").contains($0) } ?? true: text += "\\{"
        case "#" where options.contains("x"):
            let comment = rest.prefix { $0 != "\n" }
            text += "#" + comment
            rest = rest.dropFirst(comment.count)
        default: text.append(character)
        }
    }

    /// A backslash with what belongs to it, up to the end of a quotation or of braces.
    private mutating func takeEscape() {
        text.append("\\")
        guard let kind = rest.popFirst() else { return }
        text.append(kind)
        let end: String? =
            switch kind {
            case "Q": "\\E"
            case "x", "p", "P", "k", "g", "o", "N": rest.first == "{" ? "}" : nil
            default: nil
            }
        guard let end else { return }
        let stop = rest.firstRange(of: end)?.upperBound ?? rest.endIndex
        text += rest[..<stop]
        rest = rest[stop...]
    }

    /// A set, its opening bracket taken: a bracket right at its beginning is one of its characters.
    private mutating func takeSet() {
        text.append("[")
        if rest.first == "^" { text.append(rest.removeFirst()) }
        if rest.first == "]" {
            rest.removeFirst()
            text += "\\]"
        }
        while let character = rest.popFirst() {
            switch character {
            case "]":
                text.append(character)
                return
            case "\\": takeEscape()
            case "[":
                if rest.first == ":", let end = rest.firstRange(of: ":]") {
                    text += "[" + rest[..<end.upperBound]
                    rest = rest[end.upperBound...]
                } else {
                    text += "\\["
                }
            case "&", "~": text += "\\" + String(character)
            case "-" where rest.first == "-": text += "\\-"
            default: text.append(character)
            }
        }
    }
}
