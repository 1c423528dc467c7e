internal import CGlibc

/// A regular expression of a filter: its text and options, known to be one that can be read.
///
/// The engine is PCRE2, as that of servers.
struct TextPattern: Sendable {
    /// The longest expression, in bytes; that of servers.
    static let byteCountMax = 32_764

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
        guard text.utf8.count <= Self.byteCountMax else {
            throw Unreadable(
                "has a regular expression of \(text.utf8.count) bytes; it must be at most "
                    + "\(Self.byteCountMax)")
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
    /// - Throws: `Unreadable`; once `init` has returned only when memory runs out.
    func compiled() throws(Unreadable) -> CompiledPattern {
        if let plain = PlainText(self) { return .plain(plain) }
        return .expression(try PerlExpression(self))
    }
}

/// A regular expression that one task matches with.
enum CompiledPattern {
    /// Text without any operator but a `^` in front, which is found in bytes.
    case plain(PlainText)
    /// Anything else.
    case expression(PerlExpression)

    /// Whether it is found in a text.
    func isFound(in text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .plain(let plain): plain.isFound(in: text)
        case .expression(let expression): expression.isFound(in: text)
        }
    }

    /// Why `isFound` could not tell; nil when it always could.
    var failure: (any Error)? {
        if case .expression(let expression) = self { expression.failure } else { nil }
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

    /// Cost: in proportion to the text, whatever is looked for.
    func isFound(in text: UnsafeRawBufferPointer) -> Bool {
        if isAtStart { return text.starts(with: bytes) }
        guard let start = text.baseAddress else { return bytes.isEmpty }
        return memmem(start, UInt(text.count), bytes, UInt(bytes.count)) != nil
    }
}
