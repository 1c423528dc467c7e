/// A function, initializer, subscript or computed property and the lines it takes, from its keyword
/// to its closing brace. What is nested in it counts to it, and for itself.
struct FunctionSpan: Equatable {
    let name: String
    /// From 1.
    let line: Int
    let lineCount: Int

    /// All of a file, in the order of their keywords.
    static func all(in source: SwiftSource) -> [FunctionSpan] {
        let tokens = source.tokens
        return tokens.indices.compactMap { index in
            guard let name = declaredName(tokens, at: index),
                let brace = body(tokens, after: index),
                let end = closingBrace(tokens, opening: brace)
            else { return nil }
            let line = tokens[index].line
            return FunctionSpan(name: name, line: line, lineCount: tokens[end].line - line + 1)
        }
    }

    /// The words that begin another declaration, so that the one before them had no body.
    private static let declarations: Set = [
        "func", "var", "let", "init", "deinit", "subscript", "struct", "class", "enum", "actor",
        "extension", "protocol", "case", "static", "public", "private", "internal", "fileprivate",
        "package", "open", "mutating", "nonmutating", "override", "associatedtype", "typealias",
        "import", "nonisolated", "final", "lazy", "weak", "indirect", "convenience", "required",
    ]

    private static func declaredName(_ tokens: [SwiftSource.Token], at index: Int) -> String? {
        guard tokens[index].kind == .word, index + 1 < tokens.count else { return nil }
        let previous = index > 0 ? tokens[index - 1].text : ""
        let next = tokens[index + 1]
        let isDeclared = previous != "." && ["(", "<", "?", "!"].contains(next.text)
        switch tokens[index].text {
        case "func": return next.text
        case "var": return next.kind == .word ? next.text : nil
        case "init", "subscript": return isDeclared ? tokens[index].text : nil
        case "deinit": return next.text == "{" ? "deinit" : nil
        default: return nil
        }
    }

    /// The opening brace of the declaration's body, or nil when it has none.
    private static func body(_ tokens: [SwiftSource.Token], after start: Int) -> Int? {
        let isVariable = tokens[start].text == "var"
        var depth = 0
        for index in start + 1..<tokens.count {
            let token = tokens[index]
            if token.kind == .punctuation {
                switch token.text {
                case "(", "[": depth += 1
                case ")", "]": depth -= 1
                case "{" where depth == 0: return index
                case "}" where depth <= 0: return nil
                case ";" where depth == 0: return nil
                case "#" where depth == 0: return nil
                case "=" where depth == 0 && isVariable: return nil
                default: break
                }
            } else if depth == 0, index > start + 1, declarations.contains(token.text) {
                return nil
            }
            if depth < 0 { return nil }
            if isVariable, depth == 0, index > start + 1, endsLine(tokens, before: index) {
                return nil
            }
        }
        return nil
    }

    /// Whether a variable's declaration ended on the line before.
    private static func endsLine(_ tokens: [SwiftSource.Token], before index: Int) -> Bool {
        tokens[index].line > tokens[index - 1].line
            && ![":", ",", ".", "&", ">", "<", "("].contains(tokens[index - 1].text)
            && ![")", "]", ">", "&", ":"].contains(tokens[index].text)
    }

    private static func closingBrace(_ tokens: [SwiftSource.Token], opening: Int) -> Int? {
        var depth = 0
        for index in opening..<tokens.count where tokens[index].kind == .punctuation {
            if tokens[index].text == "{" { depth += 1 }
            if tokens[index].text == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }
}
