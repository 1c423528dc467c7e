import BSONBytes
import Testing

@testable import CairnCommand

/// How an `_id` is written on the command line.
@Suite struct DocumentNameTests {
    @Test func whatIsNoJSONIsAString() throws {
        #expect(try DocumentName.id("abc").string == "abc")
        #expect(try DocumentName.id("2026-11-24").string == "2026-11-24")
        #expect(try DocumentName.id("42").wholeNumber == 42)
        #expect(try DocumentName.id("\"42\"").string == "42")
        #expect(try DocumentName.id("63b1162c93f7a20651000063").type == .objectID)
    }

    @Test(arguments: ["{oops", "[1", "\"open"])
    func malformedJSONIsRefused(_ text: String) {
        let failure = #expect(throws: Failure.self) { try DocumentName.id(text) }
        #expect(failure?.message.contains("can't be read") == true)
    }
}
