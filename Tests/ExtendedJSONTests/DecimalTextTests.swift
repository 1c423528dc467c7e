import BSONBytes
import ExtendedJSON
import Testing

@Suite struct DecimalTextTests {
    @Test(arguments: [
        ("0000000000000000000000000000007C", "NaN"),
        ("00000000000000000000000000000078", "Infinity"),
        ("000000000000000000000000000000F8", "-Infinity"),
        ("00000000000000000000000000004030", "0"),
        ("00000000000000000000000000003EB0", "-0.0"),
        ("01000000000000000000000000004030", "1"),
        ("F2AF967ED05C82DE3297FF6FDE3C4030", "1234567890123456789012345678901234"),
        ("F2AF967ED05C82DE3297FF6FDE3CFC2F", "0.1234567890123456789012345678901234"),
        ("D2040000000000000000000000002A30", "1.234E-8"),
        ("01000000000000000000000000000000", "1E-6176"),
        ("000000000A5BC138938D44C64D31FE5F", "1.000000000000000000000000000000000E+6144"),
        ("FFFFFFFF638E8D37C087ADBE09EDFF5F", "9.999999999999999999999999999999999E+6144"),
        ("0100000000000000000000000000FE5F", "1E+6111"),
    ])
    func decimalsRoundTrip(bytes: String, text: String) throws {
        let document = try BSONDocument(hexadecimal: "18000000136400" + bytes + "00")
        let expected = #"{"d":{"$numberDecimal":"\#(text)"}}"#
        #expect(try ExtendedJSONWriter().text(of: document) == expected)
        #expect(try ExtendedJSONParser.document(expected) == document)
    }

    @Test(arguments: [
        ("+0.5e1", "5"), (".5", "0.5"), ("5.", "5"), ("1E+6144", "1.\(zeros(33))E+6144"),
        ("1\(zeros(34))", "1.\(zeros(33))E+34"), ("10E-6177", "1E-6176"),
        ("0E+9999999999999999999999", "0E+6111"), ("-0E-7000", "-0E-6176"), ("iNf", "Infinity"),
        ("-NAN", "NaN"), ("00000000000000000000000000000000000000000000012", "12"),
    ])
    func otherSpellingsAreRead(text: String, canonical: String) throws {
        let document = try ExtendedJSONParser.document(#"{"d":{"$numberDecimal":"\#(text)"}}"#)
        let expected = #"{"d":{"$numberDecimal":"\#(canonical)"}}"#
        #expect(try ExtendedJSONWriter().text(of: document) == expected)
    }

    @Test(arguments: [
        "1\(zeros(33))1.5", "1E-6177", "1E+6145", "1E+99999999999999999999", "15E-6177",
    ])
    func aDecimalThatWouldBeRoundedIsRefused(text: String) {
        #expect(
            throwsCode(.inexactNumber) {
                _ = try ExtendedJSONParser.document(#"{"d":{"$numberDecimal":"\#(text)"}}"#)
            })
    }

    @Test(arguments: ["", ".", "E5", "1e", "1e+", "1.2.3", "0x1", "1 ", "in", "--1", "1e5x"])
    func whatIsNoDecimalStaysADocument(text: String) throws {
        let document = try ExtendedJSONParser.document(#"{"d":{"$numberDecimal":"\#(text)"}}"#)
        #expect(try document.first("d")?.document?.first("$numberDecimal")?.string == text)
    }

    @Test func aSignificandBeyondThirtyFourDigitsIsZero() throws {
        for bytes in ["FFFFFFFFFFFFFFFFFFFFFFFFFFFF4130", "00000000000000000000000000001060"] {
            let document = try BSONDocument(hexadecimal: "18000000136400" + bytes + "00")
            let text = try ExtendedJSONWriter().text(of: document)
            #expect(text.hasPrefix(#"{"d":{"$numberDecimal":"0"#))
        }
    }
}

private func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
