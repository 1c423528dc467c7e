import BSONBytes
import ExtendedJSON
import Testing

@Suite struct ParserTests {
    @Test func metadataOfOldArchivesIsRead() throws {
        let document = try ExtendedJSONParser.document(
            #"{"options":{},"indexes":[{"v":2,"key":{"_id":1},"name":"_id_","ns":"test.foo"}]}"#)
        let expected = BSONDocument {
            $0.append("options", BSONDocument())
            $0.append(
                "indexes",
                array: [
                    BSONDocument {
                        $0.append("v", Int32(2))
                        $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
                        $0.append("name", "_id_")
                        $0.append("ns", "test.foo")
                    }
                ])
        }
        #expect(document == expected)
    }

    @Test func metadataOfNewArchivesComesBackByteForByte() throws {
        let text =
            #"{"options":{"timeseries":{"timeField":"ts","bucketMaxSpanSeconds":"#
            + #"{"$numberInt":"3600"}}},"indexes":[{"v":{"$numberInt":"2"},"key":"#
            + #"{"a":{"$numberInt":"1"}},"name":"a_1"}],"collectionName":"foo_ts","#
            + #""type":"timeseries"}"#
        let document = try ExtendedJSONParser.document(text)
        #expect(try ExtendedJSONWriter().text(of: document) == text)
    }

    @Test func bareNumbersGetTheSmallestTypeThatHoldsThem() throws {
        let text = "[2147483647,-2147483649,9223372036854775808,1.0,1e2,-0.5E-1, 0 ,-0]"
        let values = try #require(try ExtendedJSONParser.value(utf8: Array(text.utf8)).array())
        let types: [BSONType] = [
            .int32, .int64, .double, .double, .double, .double, .int32, .int32,
        ]
        #expect(values.map(\.type) == types)
        #expect(values[2].double == 9_223_372_036_854_775_808)
        #expect(values[5].double == -0.05)
    }

    @Test(arguments: [
        (#"{"$date":1356351330501}"#, #"{"$date":{"$numberLong":"1356351330501"}}"#),
        (#"{"$date":"1970-01-01T00:00:00.000Z"}"#, #"{"$date":{"$numberLong":"0"}}"#),
        (
            #"{"$date":"2012-12-24T13:15:30.5+01:00"}"#,
            #"{"$date":{"$numberLong":"1356351330500"}}"#
        ),
        (#"{"$date":"0001-01-01T00:00:00Z"}"#, #"{"$date":{"$numberLong":"-62135596800000"}}"#),
        (
            #"{"$binary":"//8=","$type":"00"}"#,
            #"{"$binary":{"base64":"//8=","subType":"00"}}"#
        ),
        (
            #"{"$type":"5","$binary":"//8"}"#,
            #"{"$binary":{"base64":"//8=","subType":"05"}}"#
        ),
        (
            #"{"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035d4"}"#,
            #"{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}"#
        ),
        (#"{"$timestamp":{"i":2,"t":1}}"#, #"{"$timestamp":{"t":1,"i":2}}"#),
        (
            #"{"$scope":{},"$code":"f"}"#,
            #"{"$code":"f","$scope":{}}"#
        ),
    ])
    func olderAndLooserSpellingsOfTypesAreRead(text: String, canonical: String) throws {
        let value = try ExtendedJSONParser.value(utf8: Array(text.utf8))
        #expect(value.type != .document)
        #expect(try ExtendedJSONWriter().text(of: value) == canonical)
    }

    @Test(arguments: [
        #"{"$regex":"^a","$options":"i"}"#, #"{"$regex":"^a"}"#, #"{"$options":"i"}"#,
        #"{"$type":"string"}"#, #"{"$oid":"12"}"#, #"{"$oid":"56e1fc72e0c917e9c4714161","x":"y"}"#,
        #"{"$numberInt":"2147483648"}"#, #"{"$numberInt":"1.5"}"#, #"{"$numberDouble":"0x1p3"}"#,
        #"{"$numberDouble":"inf"}"#, #"{"$date":"2011-02-29T00:00:00Z"}"#, #"{"$date":"today"}"#,
        #"{"$date":"2011-01-01T00:00:00.0001Z"}"#, #"{"$date":true}"#, #"{"$undefined":false}"#,
        #"{"$binary":{"base64":"%%","subType":"00"}}"#, #"{"$binary":"//8=","$type":"string"}"#,
        #"{"$binary":{"base64":"//9=","subType":"00"}}"#, #"{"$ref":"c","$id":"i"}"#,
        #"{"$timestamp":{"t":"1","i":"2"}}"#, #"{"$code":"f","$scope":"s"}"#, #"{"$code":[]}"#,
        #"{"$numberInt":"x","$numberInt":"y"}"#, #"{"$regularExpression":{"pattern":"a"}}"#,
        "{\"$min\u{212A}ey\":\"1\"}", #"{"$dbPointer":{"$ref":"a","$id":"b"}}"#, #"{"$":"a"}"#,
        #"{"$uuid":"73ffd26444b34c6990e8e7d1dfc035d4"}"#, #"{"$and":[{"a":"b"}]}"#,
    ])
    func whatOnlyLooksLikeATypeStaysADocument(text: String) throws {
        let document = try ExtendedJSONParser.document(text)
        #expect(try ExtendedJSONWriter(mode: .relaxed).text(of: document) == text)
    }

    @Test func orderAndDuplicatesOfNamesAreKept() throws {
        let text = #"{"b":"1","a":"2","b":"3","":"4"}"#
        #expect(try ExtendedJSONWriter().text(of: ExtendedJSONParser.document(text)) == text)
    }

    @Test func surrogatePairsAndEscapesAreRead() throws {
        let document = try ExtendedJSONParser.document(#"{"a":"\ud83d\uDE00\u00e9\/\u0000"}"#)
        #expect(try document.first("a")?.string == "😀é/\u{0}")
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,2", 4), (#"{"a":1,}"#, 7), (#"{"a" 1}"#, 5), (#"{a:1}"#, 1),
        (#"{"a":1} x"#, 8), (#"{"a":"x"y"}"#, 8), ("{\"a\":\"x\n\"}", 7), (#"{"a":01}"#, 5),
        (#"{"a":1.}"#, 5), (#"{"a":+1}"#, 5), (#"{"a":.5}"#, 5), (#"{"a":1e}"#, 5),
        (#"{"a":tru}"#, 5), (#"{"a":NaN}"#, 5), (#"{"a":"\x"}"#, 7), (#"{"a":"\u12G4"}"#, 8),
        (#"{"a":"\u+123"}"#, 8), (#"{"a":"\ud83d"}"#, 8), (#"{"a":"\ude00\ud83d"}"#, 8),
        (#"{"a":'b'}"#, 5), (#"{"a":1 "b":2}"#, 7), ("{\"a\":1}\u{0}", 7), ("[1]]", 3),
        (#"{"indexes":[{"key":{"a"b":1}}]}"#, 23), ("\u{FEFF}{}", 0), ("[,1]", 1), ("// a", 0),
    ])
    func textThatIsNotJSONIsRefusedWithItsOffset(text: String, offset: Int) {
        do {
            _ = try ExtendedJSONParser.value(utf8: Array(text.utf8))
            Issue.record("accepted \(text)")
        } catch {
            #expect(error.code == .syntax)
            #expect(error.offset == offset, "\(text): \(error)")
        }
    }

    @Test func otherBadTextIsRefusedByItsKind() {
        let cases: [(ExtendedJSONError.Code, [UInt8])] = [
            (.invalidUTF8, Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)),
            (.unexpectedValue, Array("[1]".utf8)),
            (.unexpectedValue, Array(#"{"$oid":"56e1fc72e0c917e9c4714161"}"#.utf8)),
            (.zeroByte, Array(#"{"a\u0000b":1}"#.utf8)),
            (
                .zeroByte,
                Array(#"{"a":{"$regularExpression":{"pattern":"\u0000","options":""}}}"#.utf8)
            ),
            (.inexactNumber, Array(#"{"a":1e400}"#.utf8)),
            (.inexactNumber, Array(#"{"a":{"$numberDouble":"1e400"}}"#.utf8)),
        ]
        for (code, text) in cases {
            #expect(throwsCode(code) { _ = try ExtendedJSONParser.document(utf8: text) })
        }
    }

    @Test func nestingIsBoundedInBothDirections() throws {
        let most = BSONLimits.nestingDepthMax
        let pointer = #"{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}"#
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"a":"#, count: depth) + pointer
                + String(repeating: "}", count: depth)
        }
        let deepest = try ExtendedJSONParser.document(nested(most))
        #expect(try ExtendedJSONWriter().text(of: deepest) == nested(most))
        for depth in [most + 1, most + 4, 1_000_000] {
            #expect(
                throwsCode(.nestedTooDeep) { _ = try ExtendedJSONParser.document(nested(depth)) })
        }
        let tooDeep = BSONDocument { $0.append("a", deepest) }
        #expect(throwsCode(.nestedTooDeep) { _ = try ExtendedJSONWriter().text(of: tooDeep) })
    }
}
