import Foundation
import Testing

@testable import AccessControl

@Suite struct JSONReaderTests {
    private func failure(_ text: String) -> JSONReader.Failure? { failure(Array(text.utf8)) }

    private func failure(_ bytes: [UInt8]) -> JSONReader.Failure? {
        do {
            _ = try JSONValue.decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func valuesAreRead() throws {
        let text = #"""
             {"a" : [1, -2.5e1, 0, -0, 1E+2], "b":{"":null},"c":true,"d":false,
            "e":"\"\\\/\b\f\n\r\tA\u00e9\ud83d\uDE00é😀" } 
            """#
        let expected = JSONValue.object([
            "a": .array([.number(1), .number(-25), .number(0), .number(-0), .number(100)]),
            "b": .object(["": .null]), "c": .bool(true), "d": .bool(false),
            "e": .string("\"\\/\u{8}\u{C}\n\r\tAé😀é😀"),
        ])
        #expect(try JSONValue.decode(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "Infinity", "1e999", "tru", "nulls",
        "\"", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "1 1", "'a'", "{} {}", "[]]", "/**/1", "\u{A0}1",
    ])
    func whatIsNoJSONIsRefused(_ text: String) {
        #expect(failure(text) == .malformed)
    }

    @Test func invalidUTF8IsRefused() {
        for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
            #expect(failure([0x22] + bytes + [0x22]) == .malformed)
        }
    }

    @Test func namesAreGivenOnce() {
        #expect(failure(#"{"a":1,"a":1}"#) == .duplicateName)
        #expect(failure(#"{"a":1,"\u0061":1}"#) == .duplicateName)
        #expect(failure(#"[{"b":{"a":1,"c":2,"a":1}}]"#) == .duplicateName)
        #expect(failure(#"[{"a":1},{"a":1}]"#) == nil)
    }

    @Test func depthIsBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(failure(nested(16)) == nil)
        #expect(failure(nested(17)) == .tooDeep)
        #expect(failure(String(repeating: "[", count: 1_000_000)) == .tooDeep)
        #expect(failure(String(repeating: "{\"a\":", count: 100_000)) == .tooDeep)
    }

    /// Whatever it takes Foundation takes, too, so that nothing is taken by accident.
    @Test func whatItTakesIsJSON() throws {
        let seed = Array(#"{"sub":"\u00e9","exp":[-1.5e3,null,true],"a":{}}"#.utf8)
        var taken = 0
        for position in seed.indices {
            for byte in UInt8(0x20)...0x7E {
                var bytes = seed
                bytes[position] = byte
                guard failure(bytes) == nil else { continue }
                taken += 1
                #expect(throws: Never.self) {
                    try JSONSerialization.jsonObject(with: Data(bytes))
                }
            }
        }
        #expect(taken > seed.count)
    }

    @Test func base64URLHasOneSpelling() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            #expect(Base64URL.decode(Array(base64URL(bytes).utf8)) == bytes)
        }
        let others = [
            "A", "AB", "AAB", "AA==", "AA=", "A A", "AA\n", "A+", "A/", "AAAAA", "é", "*A",
        ]
        for text in others {
            #expect(Base64URL.decode(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
