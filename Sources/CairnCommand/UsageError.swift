internal import ArgumentParser

/// A command line that the parser did not understand, made a sentence that gives no secret away.
struct UsageError {
    private let message: String
    private let arguments: [String]

    /// - Parameters:
    ///   - message: what the parser says; it may quote arguments, connection strings among them.
    ///   - arguments: the whole command line.
    init(_ message: String, _ arguments: [String]) {
        self.message = message
        self.arguments = arguments
    }

    /// What the user is told.
    var failure: Failure {
        guard let command else {
            let word = arguments.first { !$0.hasPrefix("-") }
            let text = word.map { "there is no command \"\($0)\"" } ?? sentence
            return .usage("\(withoutSecrets(text)) (see \"cairn help\")")
        }
        return .usage("\(withoutSecrets(sentence)) (see \"cairn help \(command)\")")
    }

    /// Whether the user wanted JSON.
    var isJSON: Bool { options.contains("--json") }

    /// Whether standard output was meant for an archive.
    var writesArchiveToOutput: Bool {
        let writers = ["backup": "--archive", "index": "--to", "salvage": "--to"]
        guard let option = command.flatMap({ writers[$0] }) else { return false }
        return options.contains("\(option)=-")
            || zip(options, options.dropFirst()).contains { $0 == (option, "-") }
    }

    /// What the parser says, as part of a sentence; after an empty line it continues with the help.
    private var sentence: String {
        let lines = message.split(separator: "\n\n", maxSplits: 1).first ?? "not understood"
        let text = lines.split(separator: "\n").joined(separator: " ")
        let isEnded = text.hasSuffix(".")
        return text.prefix(1).lowercased() + (isEnded ? text.dropLast() : text[...]).dropFirst()
    }

    private var options: ArraySlice<String> { arguments.prefix { $0 != "--" } }

    private var command: String? {
        let names = RootCommand.configuration.subcommands.compactMap {
            $0.configuration.commandName
        }
        return arguments.first { !$0.hasPrefix("-") }.flatMap { names.contains($0) ? $0 : nil }
    }

    /// Connection strings hold passwords, before the host and among the options, and it is unsure
    /// where one ends that is malformed: nothing of it is shown but that it was one.
    private func withoutSecrets(_ text: String) -> String {
        var text = text
        let secrets = arguments.compactMap { argument in
            argument.firstRange(of: "mongodb").map { String(argument[$0.lowerBound...]) }
        }
        for secret in secrets.sorted(by: { $0.count > $1.count }) where secret.contains("://") {
            text = text.split(separator: secret, omittingEmptySubsequences: false)
                .joined(separator: "mongodb://…")
        }
        return text
    }
}
