/// A Swift file taken apart into code, comments and string literals, as far as counting lines and
/// finding words needs it. Knows nested comments, raw and multi-line strings, interpolations (which
/// are code again), regular expressions and quoted identifiers.
struct SwiftSource {
    /// The file, with everything blank that is not code; the same length, the same lines.
    let code: [UInt8]
    /// The file, with everything blank that is not a comment.
    let comments: [UInt8]
    /// Words, string literals and single punctuation characters, in their order.
    let tokens: [Token]

    /// One piece of code.
    struct Token: Equatable {
        /// What kind of piece it is.
        enum Kind: Equatable {
            case word
            case string
            case punctuation
        }

        let kind: Kind
        /// A string literal's text is without its quotes and with its escapes as written.
        let text: String
        /// The line it begins on, from 1.
        let line: Int
        /// Where it begins in the code, in bytes.
        let position: Int
    }

    init(_ text: String) {
        var scanner = SwiftScanner(Array(text.utf8))
        scanner.scanCode(interpolation: false)
        code = scanner.code
        comments = scanner.comments
        tokens = Self.tokens(code: scanner.code, literals: scanner.literals)
    }

    /// The modules that the file imports.
    var imports: Set<String> {
        let kinds: Set = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor",
        ]
        var modules: Set<String> = []
        for (index, token) in tokens.enumerated() where token.kind == .word {
            guard token.text == "import", index + 1 < tokens.count else { continue }
            let isKind = kinds.contains(tokens[index + 1].text) && index + 2 < tokens.count
            modules.insert(tokens[isKind ? index + 2 : index + 1].text)
        }
        return modules
    }

    /// Where a word has a token right behind it, without a space, such as `try` and `!`.
    func line(of first: String, followedBy second: String) -> Int? {
        zip(tokens, tokens.dropFirst()).first { token, next in
            token.kind == .word && token.text == first && next.text == second
                && next.position == token.position + first.utf8.count
        }?.0.line
    }

    private static func tokens(code: [UInt8], literals: [Int: [UInt8]]) -> [Token] {
        var tokens: [Token] = []
        var line = 1
        var position = 0
        while position < code.count {
            let byte = code[position]
            if let literal = literals[position] {
                let text = String(decoding: literal, as: UTF8.self)
                tokens.append(Token(kind: .string, text: text, line: line, position: position))
            } else if SwiftScanner.isWord(byte) {
                var end = position
                while end < code.count, SwiftScanner.isWord(code[end]) { end += 1 }
                let text = String(decoding: code[position..<end], as: UTF8.self)
                tokens.append(Token(kind: .word, text: text, line: line, position: position))
                position = end
                continue
            } else if byte == UInt8(ascii: "\n") {
                line += 1
            } else if byte > 0x20, byte != UInt8(ascii: "\"") {
                let text = String(UnicodeScalar(byte))
                tokens.append(Token(kind: .punctuation, text: text, line: line, position: position))
            }
            position += 1
        }
        return tokens
    }
}
