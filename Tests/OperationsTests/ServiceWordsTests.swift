import Foundation
import Testing

@testable import Operations

/// Messages of the layers below, as clients of the service read them.
@Suite struct ServiceWordsTests {
    /// Every text in the sources of the layers whose errors reach clients: none that names options
    /// or commands may stay as it is.
    @Test func noMessageNamesOptionsOrCommands() throws {
        let sources = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources")
        var count = 0
        for target in ["Snapshots", "ArchiveEngine", "ArchiveFormat", "MongoDriver"] {
            let folder = sources.appendingPathComponent(target)
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
                .filter { $0.hasSuffix(".swift") }
            for file in files {
                let text = try String(
                    contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                for line in text.split(separator: "\n") where !line.contains("///") {
                    for match in line.matches(of: #/"((?:[^"\\]|\\.)*)"/#) {
                        let message = String(match.output.1).replacing(#"\""#, with: "\"")
                        count += 1
                        let told = ServiceWords.inFields(message)
                        #expect(!told.contains(#/--[a-z]/#), "\(file): \(told)")
                        #expect(!told.contains(#/"cairn [a-z]/#), "\(file): \(told)")
                    }
                }
            }
        }
        #expect(count > 100)
    }

    @Test func optionsBecomeFields() {
        #expect(
            ServiceWords.inFields("check --db and --ns-include; see \"cairn kept\"")
                == "check databases and ns_include; see the command line")
        #expect(ServiceWords.inFields("give --some-thing") == "give some_thing")
        #expect(ServiceWords.inFields("(--some-thing)") == "(some_thing)")
    }

    /// A name may hold what looks like an option.
    @Test(arguments: [
        "shop.a--b was not restored", "shop.a--no-b", "\"x--db\" is not there", "a.--ns-rename",
        "shop.x---in-place", "there is no snapshot \"cairn of today\" in the repository",
    ])
    func namesStayAsTheyAre(_ message: String) {
        #expect(ServiceWords.inFields(message) == message)
    }
}
