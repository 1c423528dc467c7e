import BSONBytes
import ExtendedJSON
import Testing

/// Vectors of the public BSON corpus (mongodb/specifications), as BSON in hexadecimal and text.
let canonicalVectors: [(bson: String, text: String)] = [
    ("0500000000", #"{}"#),
    ("10000000016400000000000000F03F00", #"{"d":{"$numberDouble":"1.0"}}"#),
    ("10000000016400000000000000008000", #"{"d":{"$numberDouble":"-0.0"}}"#),
    ("10000000016400000000000000F07F00", #"{"d":{"$numberDouble":"Infinity"}}"#),
    ("10000000016400000000000000F0FF00", #"{"d":{"$numberDouble":"-Infinity"}}"#),
    ("10000000016400000000000000F87F00", #"{"d":{"$numberDouble":"NaN"}}"#),
    (
        "100000000164002A1BF5F41022B14300",
        #"{"d":{"$numberDouble":"1.2345678921232E+18"}}"#
    ),
    ("190000000261000D0000006162616261626162616261620000", #"{"a":"abababababab"}"#),
    ("0D000000037800050000000000", #"{"x":{}}"#),
    ("140000000461000C0000001030000A0000000000", #"{"a":[{"$numberInt":"10"}]}"#),
    (
        "0F0000000578000200000000FFFF00",
        #"{"x":{"$binary":{"base64":"//8=","subType":"00"}}}"#
    ),
    (
        "13000000057800060000000202000000FFFF00",
        #"{"x":{"$binary":{"base64":"//8=","subType":"02"}}}"#
    ),
    (
        "1D000000057800100000000473FFD26444B34C6990E8E7D1DFC035D400",
        #"{"x":{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}}"#
    ),
    ("0800000006610000", #"{"a":{"$undefined":true}}"#),
    (
        "1400000007610056E1FC72E0C917E9C471416100",
        #"{"a":{"$oid":"56e1fc72e0c917e9c4714161"}}"#
    ),
    ("090000000862000100", #"{"b":true}"#),
    ("10000000096100C5D8D6CC3B01000000", #"{"a":{"$date":{"$numberLong":"1356351330501"}}}"#),
    (
        "10000000096100C33CE7B9BDFFFFFF00",
        #"{"a":{"$date":{"$numberLong":"-284643869501"}}}"#
    ),
    ("080000000A610000", #"{"a":null}"#),
    (
        "120000000B610061622F636400696D780000",
        #"{"a":{"$regularExpression":{"pattern":"ab/cd","options":"imx"}}}"#
    ),
    (
        "1A0000000C610002000000620056E1FC72E0C917E9C471416100",
        #"{"a":{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}}"#
    ),
    ("0E0000000D610002000000620000", #"{"a":{"$code":"b"}}"#),
    ("0E0000000E610002000000620000", #"{"a":{"$symbol":"b"}}"#),
    (
        "210000000F6100190000000500000061626364000C000000107800010000000000",
        #"{"a":{"$code":"abcd","$scope":{"x":{"$numberInt":"1"}}}}"#
    ),
    ("0C0000001069000000008000", #"{"i":{"$numberInt":"-2147483648"}}"#),
    (
        "100000001161002A00000015CD5B0700",
        #"{"a":{"$timestamp":{"t":123456789,"i":42}}}"#
    ),
    (
        "10000000126100FFFFFFFFFFFFFF7F00",
        #"{"a":{"$numberLong":"9223372036854775807"}}"#
    ),
    ("08000000FF610000", #"{"a":{"$minKey":1}}"#),
    ("080000007F610000", #"{"a":{"$maxKey":1}}"#),
]

@Suite struct CanonicalTextTests {
    @Test(arguments: canonicalVectors)
    func everyTypeRoundTripsByteForByte(bson: String, text: String) throws {
        let document = try BSONDocument(hexadecimal: bson)
        #expect(try ExtendedJSONWriter().text(of: document) == text)
        #expect(try ExtendedJSONParser.document(text) == document)
    }

    @Test func theVectorsCoverEveryType() throws {
        let types = try canonicalVectors.flatMap {
            try BSONDocument(hexadecimal: $0.bson).elements().map(\.value.type)
        }
        #expect(Set(types).union([.decimal128]) == Set(BSONType.allCases))
    }

    @Test(arguments: [
        (1.0, "1.0"), (100.0, "100.0"), (123456, "123456.0"), (1e6, "1E+06"),
        (1_234_567, "1.234567E+06"), (1e30, "1E+30"), (0.0001, "0.0001"), (0.00001, "1E-05"),
        (-0.5, "-0.5"), (12.25, "12.25"), (.leastNonzeroMagnitude, "5E-324"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.7976931348623157e308, "1.7976931348623157E+308"), (999999.5, "999999.5"),
    ])
    func doublesAreSpelledAsTheGoDriverDoes(number: Double, text: String) throws {
        let document = BSONDocument { $0.append("d", number) }
        let expected = #"{"d":{"$numberDouble":"\#(text)"}}"#
        #expect(try ExtendedJSONWriter().text(of: document) == expected)
        #expect(try ExtendedJSONParser.document(expected) == document)
    }

    @Test func stringsAreEscapedAsGoDoesWithoutHTMLEscapes() throws {
        let document = BSONDocument {
            $0.append("k\"\u{1}", "<&>\u{7F}/\\\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{2028}\u{2029}é😀")
        }
        let expected =
            #"{"k\"\u0001":"<&>"# + "\u{7F}"
            + #"/\\\n\r\t\b\f\u0000\u001f\u2028\u2029é😀"}"#
        #expect(try ExtendedJSONWriter().text(of: document) == expected)
        #expect(try ExtendedJSONParser.document(expected) == document)
    }

    @Test func invalidUTF8IsRepaired() throws {
        let broken = try BSONDocument(hexadecimal: "0F0000000261000300000061FF0000")
        #expect(try ExtendedJSONWriter().text(of: broken) == "{\"a\":\"a\u{FFFD}\"}")
    }

    @Test func relaxedTextHasPlainNumbersAndDates() throws {
        let document = BSONDocument {
            $0.append("i", Int32(-1))
            $0.append("l", Int64(1) << 40)
            $0.append("d", 2.0)
            $0.append("n", Double.nan)
            $0.append("t", dateMilliseconds: 1_356_351_330_501)
            $0.append("z", dateMilliseconds: 951_782_400_000)
            $0.append("o", dateMilliseconds: -1)
        }
        let text = try ExtendedJSONWriter(mode: .relaxed).text(of: document)
        #expect(
            text == #"{"i":-1,"l":1099511627776,"d":2.0,"n":{"$numberDouble":"NaN"},"#
                + #""t":{"$date":"2012-12-24T12:15:30.501Z"},"z":{"$date":"2000-02-29T00:00:00Z"},"#
                + #""o":{"$date":{"$numberLong":"-1"}}}"#)
        #expect(try ExtendedJSONParser.document(text) == document)
    }

    @Test func indentedTextPutsMembersOnLinesOfTheirOwn() throws {
        let document = BSONDocument {
            $0.append("a", array: ["x"])
            $0.append("e", BSONDocument())
            $0.append("i", Int32(1))
        }
        let text = try ExtendedJSONWriter(layout: .indented).text(of: document)
        let expected = """
            {
              "a": [
                "x"
              ],
              "e": {},
              "i": {"$numberInt":"1"}
            }
            """
        #expect(text == expected)
        #expect(try ExtendedJSONParser.document(text) == document)
    }

    @Test func brokenBSONIsAnErrorNotATrap() throws {
        let codeBytes: [UInt8] = [14, 0, 0, 0, 9, 0, 0, 0, 0, 5, 0, 0, 0, 0]
        let values: [BSONValue] = [
            BSONValue(type: .document, bytes: [8, 0, 0, 0, 0x55, 0x61, 0, 0]),
            BSONValue(type: .javaScriptWithScope, bytes: codeBytes[...]),
        ]
        for value in values {
            let document = BSONDocument { $0.append("v", value) }
            #expect(throwsCode(.malformedBSON) { _ = try ExtendedJSONWriter().text(of: document) })
        }
    }
}

/// Whether `body` throws an Extended JSON error of that code.
func throwsCode(_ code: ExtendedJSONError.Code, _ body: () throws -> Void) -> Bool {
    do {
        try body()
        return false
    } catch {
        return (error as? ExtendedJSONError)?.code == code
    }
}

extension BSONDocument {
    /// A document from hexadecimal digits in either case.
    init(hexadecimal text: String) throws {
        let digits = text.compactMap(\.hexDigitValue)
        try self.init(
            validating: stride(from: 0, to: digits.count - 1, by: 2).map {
                UInt8(digits[$0] << 4 | digits[$0 + 1])
            })
    }
}
