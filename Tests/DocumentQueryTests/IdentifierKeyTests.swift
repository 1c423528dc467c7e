import BSONBytes
import DocumentQuery
import ExtendedJSON
import Testing

/// Which ranges of `_id`s a filter leaves out.
@Suite struct IdentifierKeyTests {
    private func key(_ text: String) throws -> DocumentKey {
        DocumentKey(try ExtendedJSONParser.value(utf8: Array(text.utf8)))
    }

    private func mayMatch(_ filter: String, _ low: String, _ high: String) throws -> Bool {
        try DocumentFilter(ExtendedJSONParser.document(filter))
            .mayMatch(idsIn: key(low)...key(high))
    }

    @Test(arguments: [
        (#"{"_id":5}"#, true), (#"{"_id":{"$numberDecimal":"10.0"}}"#, true),
        (#"{"_id":11}"#, false),
        (#"{"_id":"5"}"#, false), (#"{"_id":{"$gt":10}}"#, true), (#"{"_id":{"$gt":11}}"#, false),
        (#"{"_id":{"$lt":1}}"#, true), (#"{"_id":{"$lt":0}}"#, false),
        (#"{"_id":{"$lte":"x"}}"#, false), (#"{"_id":{"$in":[0,7]}}"#, true),
        (#"{"_id":{"$in":[0,11]}}"#, false), (#"{"_id":{"$in":[]}}"#, false),
        (#"{"_id":{"$in":[0,null]}}"#, true), (#"{"_id":{"$ne":5}}"#, true),
        (#"{"_id":null}"#, true), (#"{"_id":[1,2]}"#, true),
        (#"{"_id":{"$lt":{"$maxKey":1}}}"#, true), (#"{"_id":{"$maxKey":1}}"#, false),
        (#"{"a":99}"#, true), (#"{"_id.a":99}"#, true), (#"{"_id":99,"a":1}"#, false),
        (#"{"$or":[{"_id":99},{"_id":3}]}"#, true), (#"{"$or":[{"_id":99},{"_id":0}]}"#, false),
        (#"{"$or":[{"_id":99},{"a":0}]}"#, true), (#"{"$nor":[{"_id":99}]}"#, true),
        (#"{"$and":[{"_id":{"$gt":20}},{"a":0}]}"#, false), (#"{"_id":{"$regex":"x"}}"#, true),
        (#"{"_id":{"$exists":true}}"#, true), (#"{"_id":{"$not":{"$gt":20}}}"#, true),
        (#"{"_id":{"$gt":2,"$lt":4}}"#, true), (#"{"_id":{"$numberDouble":"NaN"}}"#, false),
    ])
    func ofNumbersFromOneToTen(filter: String, expected: Bool) throws {
        #expect(try mayMatch(filter, "1", "10") == expected)
    }

    /// An array may hold a number, and keys don't tell of its elements.
    @Test func arraysAreNeverLeftOut() throws {
        #expect(try mayMatch(#"{"_id":99}"#, "[1]", "[2]"))
        #expect(try mayMatch(#"{"_id":99}"#, "{}", #"{"$oid":"65f0c2a4b1d2e3f405162738"}"#))
    }

    @Test func longStringsThatShareAKeyAreKept() throws {
        let long = String(repeating: "x", count: 60)
        #expect(try mayMatch("{\"_id\":\"\(long)a\"}", "\"\(long)b\"", "\"\(long)c\""))
    }
}
