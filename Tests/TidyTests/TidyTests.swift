import Testing

/// What the style of this project asks of every file, without exceptions.
@Suite struct TidyTests {
    private static let lineCountMax = 400
    private static let columnCountMax = 100
    private static let functionLineCountMax = 60

    private let files = Repository().files(in: [
        "Sources", "Development", "Tests", "Benchmarks", "Scripts",
    ])

    private var swiftFiles: [(file: Repository.File, source: SwiftSource)] {
        files.filter { $0.path.hasSuffix(".swift") }.map { ($0, SwiftSource($0.text)) }
    }

    @Test func thisFileIsAmongThoseChecked() {
        #expect(files.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
        #expect(files.contains { $0.path == "Scripts/setup" })
    }

    @Test func swiftFilesHaveAtMost400Lines() {
        let long = swiftFiles.map(\.file).filter { $0.lines.count > Self.lineCountMax }
        #expect(long.map { "\($0.path): \($0.lines.count) lines" } == [])
    }

    @Test func linesHaveAtMost100Columns() {
        let endings = [".swift", ".h", ".c", ".py", ".sh", ".modulemap"]
        let written = files.filter { file in
            endings.contains { file.path.hasSuffix($0) } || file.text.hasPrefix("#!")
        }
        let long = written.flatMap { file in
            file.lines.enumerated()
                .filter { $0.element.count > Self.columnCountMax }
                .map { "\(file.path):\($0.offset + 1): \($0.element.count) columns" }
        }
        #expect(long == [])
    }

    @Test func functionsHaveAtMost60Lines() {
        let long = swiftFiles.flatMap { file, source in
            FunctionSpan.all(in: source)
                .filter { $0.lineCount > Self.functionLineCountMax }
                .map { "\(file.path):\($0.line): \($0.name) has \($0.lineCount) lines" }
        }
        #expect(long == [])
    }

    @Test(arguments: [("try", "!"), ("as", "!"), ("fatalError", "(")])
    func nothingCrashesInsteadOfThrowing(first: String, second: String) {
        let found = swiftFiles.compactMap { file, source in
            source.line(of: first, followedBy: second).map { "\(file.path):\($0)" }
        }
        #expect(found == [], "\(first)\(second)")
    }

    /// Not the field's words: say resume, must be, is not available, because there is no.
    @Test func sentencesAreInTheWordsOfTheField() {
        let phrases = [
            "gone on" + " with", "going on" + " with", "goes on" + " with", "go on" + " with",
            "not to be" + " had", "is none" + " of", "are none" + " of", "for want" + " of",
            "for lack" + " of", "mis" + "spelt",
        ]
        let found = files.flatMap { file in
            file.lines.enumerated().flatMap { number, line in
                phrases.filter { line.contains($0) }
                    .map { "\(file.path):\(number + 1): \"\($0)\"" }
            }
        }
        #expect(found == [])
    }

    @Test func noCommentPutsWorkOff() {
        let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
        let found = swiftFiles.filter { _, source in
            let comments = String(decoding: source.comments, as: UTF8.self)
            return marks.contains { comments.contains($0) }
        }
        #expect(found.map(\.file.path) == [])
    }

    /// The names are put together here so that this file passes its own test.
    @Test func noFileNamesARegistryOrAnotherMachine() throws {
        let dots = ["pypi|org", "pythonhosted|org", "npmjs|org", "npmjs|com", "crates|io"]
        let more = ["rubygems|org", "proxy|golang|org", "deb|debian|org", "archive|ubuntu|com"]
        let hosts = (dots + more).map { $0.split(separator: "|").joined(separator: ".") }
        let folder = "/" + "work/"
        let folders = [" ", "(", "`", "'", "\"", "=", ":"].map { $0 + folder }
        let others = ["index-" + "url", ".." + "/shared", "artifac" + "tory"] + folders
        let found = try Repository().everyFile().flatMap { file in
            (hosts + others).filter { file.text.contains($0) }.map { "\(file.path): \($0)" }
        }
        #expect(found == [])
    }
}
