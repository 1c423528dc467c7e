import BSONBytes
import ExtendedJSON
import Foundation
import Testing

/// The folder of the public BSON corpus (`source/bson-corpus/tests` of mongodb/specifications).
private let corpusFolder = ProcessInfo.processInfo.environment["CAIRN_BSON_CORPUS"]

@Suite(
    .enabled(
        if: corpusFolder != nil,
        "SKIPPED: set CAIRN_BSON_CORPUS to the folder of the public BSON corpus"))
struct CorpusTests {
    @Test func everyValidCaseIsReadAndWritten() throws {
        let folder = URL(filePath: try #require(corpusFolder))
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil
        ).filter { $0.pathExtension == "json" }
        #expect(!files.isEmpty)
        for file in files.sorted(by: { $0.path < $1.path }) {
            let corpus = try ExtendedJSONParser.document(utf8: Array(Data(contentsOf: file)))
            for test in try corpus.first("valid")?.array() ?? [] {
                try check(try #require(test.document), file.lastPathComponent)
            }
        }
    }

    private func check(_ test: BSONDocument, _ file: String) throws {
        let name = Comment(rawValue: "\(file): \(try test.first("description")?.string ?? "")")
        let document = try BSONDocument(hexadecimal: test.require("canonical_bson", \.string))
        let isLossy = try test.first("lossy")?.bool ?? false
        let canonical = try test.require("canonical_extjson", \.string)
        let written = try ExtendedJSONWriter().text(of: document)
        let writtenAgain = try ExtendedJSONWriter().text(
            of: ExtendedJSONParser.document(canonical))
        #expect(written == writtenAgain, name)
        if !isLossy { #expect(try ExtendedJSONParser.document(canonical) == document, name) }
        let relaxed = ExtendedJSONWriter(mode: .relaxed)
        if let text = try test.first("relaxed_extjson")?.string {
            let same = try relaxed.text(of: ExtendedJSONParser.document(text))
            #expect(try relaxed.text(of: document) == same, name)
        }
        // The corpus sorts a regular expression's options; a backup keeps them as they are.
        let isReordered = name.rawValue.hasSuffix("flags not alphabetized")
        if !isLossy, !isReordered, let text = try test.first("degenerate_extjson")?.string {
            #expect(try ExtendedJSONParser.document(text) == document, name)
        }
    }
}
