import ArgumentParser
import Foundation
import Testing

@testable import CairnCommand

/// The help texts, compared with files. `CAIRN_REGENERATE=1 swift test --filter HelpTests` writes
/// the files anew.
@Suite struct HelpTests {
    private static let commands: [String] = [
        "cairn", "backup", "restore", "verify", "show", "list", "stats", "delete", "prune", "get",
        "find", "export", "diff",
        "index", "salvage", "kept", "tune",
        "serve", "token", "schedule", "audit",
    ]

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden")

    @Test(arguments: commands)
    func helpIsAsExpected(name: String) throws {
        let command = RootCommand.configuration.subcommands.first {
            $0.configuration.commandName == name
        }
        let help = RootCommand.helpMessage(for: command ?? RootCommand.self, columns: 80) + "\n"
        let file = Self.folder.appendingPathComponent("\(name).txt")
        if ProcessInfo.processInfo.environment["CAIRN_REGENERATE"] == "1" {
            try help.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try help == String(contentsOf: file, encoding: .utf8))
    }

    @Test func everyCommandIsCompared() {
        let names = RootCommand.configuration.subcommands.compactMap {
            $0.configuration.commandName
        }
        #expect(["cairn"] + names == Self.commands)
    }
}
