/// A regular expression of a filter: its text and options, known to be one that can be read.
///
/// The engine is Swift's, not the PCRE of servers. It knows no lookbehind, no `(*VERB)`s and no
/// recursion, takes any Unicode line ending for one with the option `m`, and has no limit on
/// backtracking.
struct TextPattern: Sendable {
    /// As it was given, without delimiters.
    let text: String
    /// Letters of `i`, `m`, `s`, `u` and `x`.
    let options: String

    /// - Throws: the reason, as a few words, when the engine can't read it.
    init(_ text: String, options: String) throws(Unreadable) {
        self.text = text
        self.options = options
        if let option = options.first(where: { !"imsux".contains($0) }) {
            throw Unreadable("has the option \"\(option)\"; only i, m, s, u and x are known")
        }
        _ = try compiled()
    }

    /// Why an expression can't be used.
    struct Unreadable: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    /// A new expression, for one task.
    ///
    /// - Throws: `Unreadable`; never once `init` has returned.
    func compiled() throws(Unreadable) -> CompiledPattern {
        if let plain = PlainText(self) { return .plain(plain) }
        let isExtended = options.contains("x")
        do {
            var regex = try Regex((isExtended ? "(?x)" : "") + PatternTranslation(self).text)
                .matchingSemantics(.unicodeScalar).asciiOnlyCharacterClasses()
                .wordBoundaryKind(.simple)
            if options.contains("i") { regex = regex.ignoresCase() }
            if options.contains("m") { regex = regex.anchorsMatchLineEndings() }
            if options.contains("s") { regex = regex.dotMatchesNewlines() }
            return .regex(regex)
        } catch {
            throw Unreadable("has a regular expression that can't be read: \(error)")
        }
    }
}

/// A regular expression that one task matches with.
enum CompiledPattern {
    /// Text without any operator but a `^` in front, which is found in bytes.
    case plain(PlainText)
    /// Anything else.
    case regex(Regex<AnyRegexOutput>)

    /// Whether it is found in a text. Invalid UTF-8 is read as if it had been repaired.
    func isFound(in text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .plain(let plain): return plain.isFound(in: text)
        case .regex(let regex):
            do {
                return try regex.firstMatch(in: String(decoding: text, as: UTF8.self)) != nil
            } catch {
                preconditionFailure("only a custom component of an expression throws: \(error)")
            }
        }
    }
}

/// Text to be found as it is: at the beginning, or anywhere.
struct PlainText: Sendable {
    private let bytes: [UInt8]
    private let isAtStart: Bool

    /// Nil for an expression that means more than its letters.
    init?(_ pattern: TextPattern) {
        guard pattern.options.allSatisfy({ $0 == "s" || $0 == "u" }) else { return nil }
        isAtStart = pattern.text.utf8.first == UInt8(ascii: "^")
        bytes = Array(pattern.text.utf8.dropFirst(isAtStart ? 1 : 0))
        guard !bytes.contains(where: { "\\^$.[]|()?*+{}".utf8.contains($0) }) else { return nil }
    }

    func isFound(in text: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first else { return true }
        guard bytes.count <= text.count else { return false }
        if isAtStart { return text.starts(with: bytes) }
        for offset in 0...text.count - bytes.count where text[offset] == first {
            if text[offset..<offset + bytes.count].elementsEqual(bytes) { return true }
        }
        return false
    }
}
