import BSONBytes
import DocumentQuery
import ExtendedJSON
import Testing

/// What filters match, by examples. The same against a server, at random: `FilterModelTests`.
@Suite struct DocumentFilterTests {
    private func matches(_ filter: String, _ document: String) throws -> Bool {
        let matcher = try DocumentFilter(ExtendedJSONParser.document(filter)).matcher()
        let bytes = try ExtendedJSONParser.document(document).bytes
        return try bytes.withUnsafeBytes { try matcher.matches($0) }
    }

    /// A filter, documents that match it, and documents that do not.
    typealias Case = (filter: String, matched: [String], others: [String])

    private static let equality: [Case] = [
        ("{}", ["{}", #"{"a":1}"#], []),
        (
            #"{"a":1}"#,
            [
                #"{"a":1}"#, #"{"a":1.0}"#, #"{"a":{"$numberDecimal":"1.00"}}"#, #"{"a":[2,1]}"#,
                #"{"a":{"$numberLong":"1"}}"#,
            ], [#"{"a":2}"#, #"{"a":"1"}"#, #"{"a":true}"#, #"{"a":[[1]]}"#, "{}"]
        ),
        (
            #"{"a":null}"#,
            ["{}", #"{"a":null}"#, #"{"a":{"$undefined":true}}"#, #"{"a":[null]}"#],
            [#"{"a":0}"#, #"{"a":[]}"#, #"{"a":""}"#]
        ),
        (#"{"a.b":null}"#, [#"{"a":[{"b":1},{}]}"#, #"{"a":3}"#], [#"{"a":[1]}"#, #"{"a":[]}"#]),
        (
            #"{"a":{"x":1,"y":2}}"#, [#"{"a":{"x":1.0,"y":2}}"#, #"{"a":[{"x":1,"y":2}]}"#],
            [#"{"a":{"y":2,"x":1}}"#, #"{"a":{"x":1}}"#]
        ),
        (#"{"a":[1,2]}"#, [#"{"a":[1,2]}"#, #"{"a":[[1,2]]}"#], [#"{"a":[2,1]}"#, #"{"a":1}"#]),
        (
            #"{"a":{"$numberDouble":"NaN"}}"#,
            [#"{"a":{"$numberDouble":"NaN"}}"#, #"{"a":{"$numberDecimal":"NaN"}}"#], [#"{"a":0}"#]
        ),
        (#"{"a":0.1}"#, [#"{"a":0.1}"#], [#"{"a":{"$numberDecimal":"0.1"}}"#]),
        (
            #"{"a":{"$numberLong":"9007199254740993"}}"#,
            [#"{"a":{"$numberDecimal":"9007199254740993"}}"#],
            [#"{"a":{"$numberDouble":"9007199254740992.0"}}"#]
        ),
        (#"{"a":{"$ref":"u","$id":1}}"#, [#"{"a":{"$ref":"u","$id":1}}"#], [#"{"a":1}"#]),
    ]

    private static let order: [Case] = [
        (
            #"{"a":{"$gt":1}}"#,
            [#"{"a":2}"#, #"{"a":[0,5]}"#, #"{"a":{"$numberDecimal":"1.1"}}"#],
            [#"{"a":1}"#, #"{"a":"2"}"#, "{}", #"{"a":{"$numberDouble":"NaN"}}"#]
        ),
        (#"{"a":{"$gte":null}}"#, ["{}", #"{"a":null}"#], [#"{"a":1}"#]),
        (#"{"a":{"$lt":{"$maxKey":1}}}"#, ["{}", #"{"a":"x"}"#], [#"{"a":{"$maxKey":1}}"#]),
        (#"{"a":{"$lt":"b"}}"#, [#"{"a":""}"#, #"{"a":"azz"}"#], [#"{"a":"b"}"#, #"{"a":1}"#]),
        (
            #"{"a":{"$gt":{"$date":"2020-01-01T00:00:00Z"}}}"#,
            [#"{"a":{"$date":"2020-01-01T00:00:00.001Z"}}"#],
            [
                #"{"a":{"$timestamp":{"t":2000000000,"i":1}}}"#,
                #"{"a":{"$date":"1969-01-01T00:00:00Z"}}"#,
            ]
        ),
        (
            #"{"a":{"$lt":{"$binary":{"base64":"AQI=","subType":"05"}}}}"#,
            [
                #"{"a":{"$binary":{"base64":"/w==","subType":"80"}}}"#,
                #"{"a":{"$binary":{"base64":"/wI=","subType":"00"}}}"#,
            ], [#"{"a":{"$binary":{"base64":"AQI=","subType":"05"}}}"#]
        ),
        (#"{"a":{"$in":[1,null]}}"#, [#"{"a":1.0}"#, "{}", #"{"a":[3,1]}"#], [#"{"a":2}"#]),
        (
            #"{"a":{"$in":[{"$regularExpression":{"pattern":"^x","options":""}}]}}"#,
            [#"{"a":"xy"}"#], [#"{"a":"yx"}"#, #"{"a":1}"#]
        ),
        (#"{"a":{"$nin":[1]}}"#, ["{}", #"{"a":2}"#], [#"{"a":[2,1]}"#]),
        (#"{"a":{"$ne":1}}"#, ["{}", #"{"a":[2]}"#], [#"{"a":[1,2]}"#]),
        (#"{"a":{"$gt":1,"$lt":3}}"#, [#"{"a":2}"#, #"{"a":[0,5]}"#], [#"{"a":3}"#]),
    ]

    private static let structure: [Case] = [
        (#"{"a.b":1}"#, [#"{"a":{"b":1}}"#, #"{"a":[{"b":2},{"b":1}]}"#], [#"{"a.b":1}"#]),
        (
            #"{"a.1":2}"#, [#"{"a":[1,2]}"#, #"{"a":{"1":2}}"#],
            [#"{"a":[2,1]}"#, #"{"a":[0,[2]]}"#]
        ),
        (#"{"a.1.b":2}"#, [#"{"a":[1,{"b":2}]}"#, #"{"a":[0,[{"b":2}]]}"#], [#"{"a":[{"b":2}]}"#]),
        (#"{"a":{"$exists":false}}"#, ["{}", #"{"b":1}"#], [#"{"a":null}"#, #"{"a":[]}"#]),
        (
            #"{"a":{"$type":["number","null"]}}"#,
            [#"{"a":1}"#, #"{"a":null}"#, #"{"a":["x",1]}"#],
            [#"{"a":"1"}"#, "{}"]
        ),
        (#"{"a":{"$type":"array"}}"#, [#"{"a":[]}"#], [#"{"a":1}"#]),
        (#"{"a":{"$type":-1}}"#, [#"{"a":{"$minKey":1}}"#], [#"{"a":{"$maxKey":1}}"#]),
        (#"{"a":{"$size":2}}"#, [#"{"a":[1,2]}"#], [#"{"a":[[1,2]]}"#, #"{"a":2}"#]),
        (#"{"a":{"$all":[1,2]}}"#, [#"{"a":[2,3,1]}"#], [#"{"a":[1]}"#]),
        (#"{"a":{"$all":[]}}"#, [], [#"{"a":[]}"#, "{}"]),
        (
            #"{"a":{"$elemMatch":{"b":1,"c":2}}}"#, [#"{"a":[{"b":1,"c":2}]}"#],
            [#"{"a":[{"b":1},{"c":2}]}"#, #"{"a":{"b":1,"c":2}}"#]
        ),
        (#"{"a":{"$elemMatch":{"$gt":1,"$lt":3}}}"#, [#"{"a":[2]}"#], [#"{"a":[0,5]}"#]),
        (
            #"{"a":{"$all":[{"$elemMatch":{"b":1}},{"$elemMatch":{"b":2}}]}}"#,
            [#"{"a":[{"b":2},{"b":1}]}"#], [#"{"a":[{"b":1}]}"#]
        ),
        (#"{"a":{"$not":{"$gt":1}}}"#, ["{}", #"{"a":"x"}"#, #"{"a":1}"#], [#"{"a":[0,2]}"#]),
        (#"{"$or":[{"a":1},{"b":1}]}"#, [#"{"b":1}"#], [#"{"c":1}"#]),
        (#"{"$nor":[{"a":1},{"b":1}]}"#, [#"{"c":1}"#], [#"{"b":1}"#]),
        (#"{"$and":[{"a":1},{"b":1}],"$comment":"x"}"#, [#"{"a":1,"b":1}"#], [#"{"b":1}"#]),
        (#"{"a":{"$mod":[4,1]}}"#, [#"{"a":5}"#, #"{"a":5.9}"#], [#"{"a":4}"#, #"{"a":"5"}"#]),
        (#"{"a":{"$mod":[4,-1]}}"#, [#"{"a":-5}"#], [#"{"a":3}"#]),
        (#"{"a":{"$bitsAllSet":[0,70]}}"#, [#"{"a":-1}"#], [#"{"a":1}"#, #"{"a":-1.5}"#]),
        (
            #"{"a":{"$bitsAnySet":6}}"#,
            [#"{"a":4}"#, #"{"a":{"$binary":{"base64":"Ag==","subType":"00"}}}"#], [#"{"a":9}"#]
        ),
    ]

    private static let patterns: [Case] = [
        (
            #"{"a":{"$regex":"^ab"}}"#, [#"{"a":"abc"}"#, #"{"a":["x","ab"]}"#],
            [#"{"a":"xab"}"#, #"{"a":1}"#]
        ),
        (#"{"a":{"$options":"i","$regex":"B.C"}}"#, [#"{"a":"ab-cd"}"#], [#"{"a":"b\nc"}"#]),
        (#"{"a":{"$regex":"c$"}}"#, [#"{"a":"abc\n"}"#], [#"{"a":"c\nd"}"#]),
        (#"{"a":{"$regex":"^d","$options":"m"}}"#, [#"{"a":"c\nd"}"#], [#"{"a":"cd"}"#]),
        (#"{"a":{"$regex":"^\\w+$"}}"#, [#"{"a":"ab_1"}"#], [#"{"a":"é"}"#]),
        (#"{"a":{"$regex":"x{,2}[]&&]"}}"#, [#"{"a":"x{,2}&"}"#], [#"{"a":"xx]"}"#]),
        (
            #"{"a":{"$regularExpression":{"pattern":"b","options":"i"}}}"#,
            [
                #"{"a":"ABC"}"#, #"{"a":{"$symbol":"b"}}"#,
                #"{"a":{"$regularExpression":{"pattern":"b","options":"i"}}}"#,
            ], [#"{"a":{"$regularExpression":{"pattern":"b","options":""}}}"#]
        ),
        (#"{"a":{"$not":{"$regex":"b"}}}"#, ["{}", #"{"a":1}"#], [#"{"a":"abc"}"#]),
        (#"{"a":{"$regex":"(?<=b)c"}}"#, [#"{"a":"abc"}"#], [#"{"a":"ac"}"#]),
        (#"{"a":{"$regex":"\\Gb"}}"#, [#"{"a":"bc"}"#], [#"{"a":"ab"}"#]),
        (#"{"a":{"$regex":"^É.x","$options":"i"}}"#, [#"{"a":"é😀X"}"#], [#"{"a":"éX"}"#]),
        (#"{"a":{"$regex":"[[:alpha:]]"}}"#, [#"{"a":"b"}"#], [#"{"a":"é"}"#]),
        (#"{"a":{"$regex":"a b # c","$options":"x"}}"#, [#"{"a":"ab"}"#], [#"{"a":"a b"}"#]),
        (#"{"a":{"$regex":"(.)\\1"}}"#, [#"{"a":"aß😀😀"}"#], [#"{"a":"aba"}"#]),
        (#"{"a":{"$regex":"x?$"}}"#, [#"{"a":""}"#, #"{"a":"é"}"#], [#"{"a":1}"#]),
    ]

    /// In each place of a long text, and only there.
    @Test(arguments: ["x", "😀", "é"]) func longTextsAreSearchedToTheEnd(_ letter: String) throws {
        let filter = #"{"a":{"$regex":"(?<=\#(letter))b|^c"}}"#
        for length in [0, 1, 60, 63, 64, 65, 127, 128, 200, 5000] {
            let text = String(repeating: letter, count: length)
            #expect(try matches(filter, #"{"a":"\#(text)b"}"#) == (length > 0), "\(length)")
            #expect(try !matches(filter, #"{"a":"\#(text)c\#(letter)"}"#) || length == 0)
        }
    }

    /// Whatever an expression is, its work on a text has an end.
    @Test(arguments: [
        #"(a+)+$"#, #"(a|a)*[cd]"#, #"(a|aa)+$"#, #"(a*)*b\\1[cd]"#, #"((a+)?)+[cd]"#,
        #"(?:a{0,9}){0,99}[cd]"#, #"(.*)(.*)(.*)(.*)(.*)[xy]"#,
    ])
    func backtrackingWithoutEndIsAnError(_ pattern: String) throws {
        let text = String(repeating: "a", count: 3000) + "b"
        let error = #expect(throws: QueryError.self) {
            try matches(#"{"a":{"$regex":"\#(pattern)"}}"#, #"{"a":"\#(text)"}"#)
        }
        #expect(error?.code == .tooExpensive)
    }

    @Test func aSearchOfALongTextCanBeCancelled() async throws {
        // Each place is looked at in a moment; all of them take hours.
        let text = String(repeating: "a", count: 4_000_000)
        let search = Task {
            try matches(#"{"a":{"$regex":"[a-z]++@|[b-z]@"}}"#, #"{"a":"\#(text)"}"#)
        }
        search.cancel()
        await #expect(throws: CancellationError.self) { try await search.value }
    }

    @Test func plainTextIsFoundInOnePass() throws {
        let (text, wanted) = (String(repeating: "a", count: 4_000_000), 30_000)
        let filter = #"{"a":{"$regex":"\#(String(repeating: "a", count: wanted))b"}}"#
        #expect(try !matches(filter, #"{"a":"\#(text)"}"#))
        #expect(try matches(filter, #"{"a":"\#(text)b"}"#))
    }

    @Test func longExpressionsAreRefused() throws {
        for pattern in [String(repeating: "a", count: 32_765), "(a{9999}){9999}"] {
            #expect(throws: QueryError.self) {
                try matches(#"{"a":{"$regex":"\#(pattern)"}}"#, "{}")
            }
        }
    }

    @Test(arguments: [equality, order, structure, patterns])
    func matchesWhatItShould(cases: [Case]) throws {
        for (filter, matched, others) in cases {
            for document in matched {
                #expect(try matches(filter, document), "\(filter) \(document)")
            }
            for document in others {
                #expect(try !matches(filter, document), "\(filter) \(document)")
            }
        }
    }

    @Test(arguments: [
        (#"{"$where":"true"}"#, "$where", "unsupported"),
        (#"{"a":1,"$or":[{"b":1},{"$expr":{}}]}"#, "$or[1].$expr", "unsupported"),
        (#"{"a":{"$near":[1,2]}}"#, "a.$near", "unsupported"),
        (#"{"a":{"$gtt":1}}"#, "a.$gtt", "unknown_operator"),
        (#"{"a":{"$gt":1,"b":2}}"#, "a.b", "unknown_operator"),
        (#"{"a":{"$in":1}}"#, "a.$in", "bad_value"),
        (#"{"a":{"$in":[1,{"$gt":1}]}}"#, "a.$in[1]", "bad_value"),
        (#"{"$and":[]}"#, "$and", "bad_value"), (#"{"$or":[1]}"#, "$or[0]", "bad_value"),
        (#"{"a":{"$mod":[0,1]}}"#, "a.$mod", "bad_value"),
        (#"{"a":{"$mod":[1]}}"#, "a.$mod", "bad_value"),
        (#"{"a":{"$size":-1}}"#, "a.$size", "bad_value"),
        (#"{"a":{"$type":0}}"#, "a.$type", "bad_value"),
        (#"{"a":{"$type":"number!"}}"#, "a.$type", "bad_value"),
        (#"{"a":{"$regex":"("}}"#, "a.$regex", "bad_value"),
        (#"{"a":{"$regex":"a","$options":"q"}}"#, "a.$regex", "bad_value"),
        (#"{"a":{"$options":"i"}}"#, "a.$options", "bad_value"),
        (#"{"a":{"$regex":"a","$regex":"b"}}"#, "a.$regex", "bad_value"),
        (#"{"a":{"$not":1}}"#, "a.$not", "bad_value"),
        (#"{"a":{"$not":{}}}"#, "a.$not", "bad_value"),
        (#"{"a":{"$elemMatch":1}}"#, "a.$elemMatch", "bad_value"),
        (#"{"a":{"$all":[{"$elemMatch":{}},1]}}"#, "a.$all[1]", "bad_value"),
        (#"{"a":{"$bitsAllSet":-1}}"#, "a.$bitsAllSet", "bad_value"),
        (#"{"a":{"$undefined":true}}"#, "a", "bad_value"),
    ])
    func whatCannotBeEvaluatedIsRefused(filter: String, place: String, code: String) throws {
        let document = try ExtendedJSONParser.document(filter)
        let error = #expect(throws: QueryError.self) { try DocumentFilter(document) }
        #expect(error?.place == place)
        #expect(error?.code.rawValue == code)
    }

    @Test func nestingIsBounded() throws {
        var filter = BSONDocument { $0.append("a", Int32(1)) }
        for _ in 0..<DocumentFilter.depthMax {
            filter = BSONDocument { [filter] in $0.append("$and", array: [filter]) }
        }
        _ = try DocumentFilter(filter)
        filter = BSONDocument { [filter] in $0.append("$and", array: [filter]) }
        let error = #expect(throws: QueryError.self) { try DocumentFilter(filter) }
        #expect(error?.code == .nestedTooDeep)
    }

    @Test func aDamagedDocumentIsAnError() throws {
        let filter = try DocumentFilter(ExtendedJSONParser.document(#"{"b":1}"#))
        let bytes: [UInt8] = [8, 0, 0, 0, 0x66, 0x61, 0, 0]
        #expect(throws: BSONError.self) {
            try bytes.withUnsafeBytes { try filter.matcher().matches($0) }
        }
    }
}
