/// The targets that `Package.swift` declares, read from its text: running SwiftPM inside a test
/// would wait for the SwiftPM that runs the test.
struct PackageManifest {
    /// A target and what it depends on: other targets, or products of other packages.
    struct Target: Equatable {
        let name: String
        let dependencies: [String]
        /// Whether it is the module map of a system library.
        let isSystem: Bool
    }

    let targets: [Target]
    /// Where other packages come from.
    let packageURLs: [String]

    /// The functions of PackageDescription and of our manifest that make a target.
    private static let calls: Set = [
        "system", "systemLibrary", "module", "target", "tests", "testTarget", "executable",
        "executableTarget", "development", "tool",
    ]

    init(_ text: String) {
        let tokens = SwiftSource(text).tokens
        var targets: [Target] = []
        var index = 0
        while index + 1 < tokens.count {
            if Self.calls.contains(tokens[index].text), tokens[index + 1].text == "(",
                index == 0 || tokens[index - 1].text != "func"
            {
                let (arguments, end) = Self.arguments(tokens, opening: index + 1)
                if let target = Self.target(tokens[index].text, arguments) {
                    targets.append(target)
                    index = end
                }
            }
            index += 1
        }
        self.targets = targets
        packageURLs = tokens.indices.dropFirst(2).compactMap { index in
            let isURL = tokens[index - 2].text == "url" && tokens[index - 1].text == ":"
            return isURL ? tokens[index].text : nil
        }
    }

    func target(_ name: String) -> Target? { targets.first { $0.name == name } }

    /// Nil when the name is no literal: the helper functions themselves.
    private static func target(
        _ call: String, _ arguments: [ArraySlice<SwiftSource.Token>]
    ) -> Target? {
        guard let name = arguments.first?.last, name.kind == .string else { return nil }
        let lists = arguments.dropFirst().filter { argument in
            argument.first?.text == "[" || argument.first?.text == "dependencies"
        }
        let dependencies = lists.joined().enumerated().filter { $0.element.kind == .string }
        let list = Array(lists.joined())
        return Target(
            name: name.text,
            dependencies: dependencies.compactMap { position, token in
                let label = position > 1 ? list[position - 2].text : ""
                return label == "package" ? nil : token.text
            },
            isSystem: call.hasPrefix("system"))
    }

    /// The arguments of a call, and the index of its closing parenthesis.
    private static func arguments(
        _ tokens: [SwiftSource.Token], opening: Int
    ) -> ([ArraySlice<SwiftSource.Token>], Int) {
        var arguments: [ArraySlice<SwiftSource.Token>] = []
        var depth = 0
        var start = opening + 1
        for index in opening..<tokens.count where tokens[index].kind == .punctuation {
            let text = tokens[index].text
            if ["(", "[", "{"].contains(text) { depth += 1 }
            if [")", "]", "}"].contains(text) { depth -= 1 }
            guard depth == 0 || (depth == 1 && text == ",") else { continue }
            if start < index { arguments.append(tokens[start..<index]) }
            start = index + 1
            if depth == 0 { return (arguments, index) }
        }
        return (arguments, tokens.count)
    }
}
