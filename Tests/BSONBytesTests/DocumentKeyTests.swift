import BSONBytes
import Testing

@Suite struct DocumentKeyTests {
    private func key(_ build: (inout BSONBuilder) -> Void) throws -> DocumentKey {
        let document = BSONDocument(build)
        return try #require(try document.bytes.withUnsafeBytes { try DocumentKey(document: $0) })
    }

    @Test func numbersOfEveryTypeCompareByValue() throws {
        let ascending = try [
            key { $0.append("_id", Double.nan) },
            key { $0.append("_id", -Double.infinity) },
            key { $0.append("_id", Int64.min) },
            key { $0.append("_id", Int32(-2)) },
            key { $0.append("_id", -1.5) },
            key { $0.append("_id", -0.0) },
            key { $0.append("_id", 5e-324) },
            key { $0.append("_id", Int32(1)) },
            key { $0.append("_id", Int64(1 << 40)) },
            key { $0.append("_id", Double.infinity) },
        ]
        #expect(ascending == ascending.sorted())
        #expect(Set(ascending).count == ascending.count)
        #expect(try key { $0.append("_id", Int32(7)) } == key { $0.append("_id", 7.0) })
        #expect(try key { $0.append("_id", 0.0) } == key { $0.append("_id", -0.0) })
    }

    @Test func decimal128ComparesWithOtherNumbers() throws {
        func decimal(_ high: UInt64, _ low: UInt64) -> BSONValue {
            let bytes =
                withUnsafeBytes(of: low.littleEndian) { Array($0) }
                + withUnsafeBytes(of: high.littleEndian) { Array($0) }
            return BSONValue(type: .decimal128, bytes: bytes[...])
        }
        let one = decimal(0x3040_0000_0000_0000, 1)
        let tenth = decimal(0x303E_0000_0000_0000, 1)
        #expect(try DocumentKey(one) == key { $0.append("_id", Int32(1)) })
        #expect(DocumentKey(tenth) < DocumentKey(one))
        #expect(try DocumentKey(tenth) == key { $0.append("_id", 0.1) })
        #expect(
            try DocumentKey(decimal(0x7C00_0000_0000_0000, 0))
                == key { $0.append("_id", Double.nan) })
        #expect(
            try DocumentKey(decimal(0xF800_0000_0000_0000, 0))
                == key { $0.append("_id", -Double.infinity) })
    }

    @Test func aKeyIsCutAtItsLimitAndSurvivesItsBytes() throws {
        let long = try key { $0.append("_id", String(repeating: "a", count: 100)) }
        #expect(long.byteCount == DocumentKey.byteCountMax)
        #expect(DocumentKey(bytes: long.bytes) == long)
        #expect(DocumentKey(bytes: [UInt8]()) == nil)
        #expect(DocumentKey(bytes: [UInt8](repeating: 1, count: 33)) == nil)
        #expect(try key { $0.append("_id", "a") } < key { $0.append("_id", "a\u{0}") })
    }

    @Test func theIDIsFoundBehindOtherFieldsAndMissedWhenAbsent() throws {
        let behind = try key {
            $0.append("a", "x")
            $0.append("_id", Int32(3))
        }
        #expect(try behind == key { $0.append("_id", Int32(3)) })
        let absent = BSONDocument { $0.append("a", Int32(1)) }
        #expect(try absent.bytes.withUnsafeBytes { try DocumentKey(document: $0) } == nil)
    }
}
