import BSONBytes
import ExtendedJSON
import Testing

/// Bytes that are not UTF-8: a text can't have them, and says how many strings it has changed.
@Suite struct InvalidTextTests {
    private static func string(_ bytes: [UInt8]) -> BSONValue {
        let length = UInt8(bytes.count + 1)
        return BSONValue(type: .string, bytes: ([length, 0, 0, 0] + bytes + [0])[...])
    }

    private static func count(_ value: BSONValue) throws -> Int {
        try ExtendedJSONWriter().encoded(value).invalidStringCount
    }

    @Test(arguments: [
        ([0xFF], 1), ([0x61, 0xC3], 1), ([0xED, 0xA0, 0x80], 1), ([0xC0, 0x80], 1),
        ([0xF5, 0x80], 1),
        ([0x61], 0), ([], 0), ([0xEF, 0xBF, 0xBD], 0), ([0xF0, 0x9F, 0x98, 0x80], 0),
    ])
    func aStringIsCounted(_ bytes: [UInt8], _ count: Int) throws {
        #expect(try Self.count(Self.string(bytes)) == count)
    }

    @Test func everyKindOfTextIsCounted() throws {
        let bad = Self.string([0x80])
        let symbol = BSONValue(type: .symbol, bytes: bad.bytes)
        let code = BSONValue(type: .javaScript, bytes: bad.bytes)
        let expression = BSONValue(type: .regularExpression, bytes: [0x80, 0, 0x69, 0])
        let pointer = BSONValue(
            type: .dbPointer, bytes: bad.bytes + [UInt8](repeating: 1, count: 12))
        for value in [bad, symbol, code, expression, pointer] {
            #expect(try Self.count(value) == 1)
        }
        // {"\xFF": "\x80", "a": ["\x80"]}
        var bytes: [UInt8] = [2, 0xFF, 0, 2, 0, 0, 0, 0x80, 0, 4, 0x61, 0, 14, 0, 0, 0]
        bytes += [2, 0x30, 0, 2, 0, 0, 0, 0x80, 0, 0, 0]
        let document = [UInt8(bytes.count + 4), 0, 0, 0] + bytes
        #expect(try Self.count(BSONValue(type: .document, bytes: document[...])) == 3)
    }
}
