import BSONBytes
import ExtendedJSON
import Foundation
import SampleData
import Testing

@testable import Snapshots

/// Samples of a comparison, whose documents may be large.
@Suite struct LargeDocumentTests {
    private static func large(_ salt: Int32, fill: Int = 16_000_000) -> BSONDocument {
        document(1) {
            $0.append("same", binary: [UInt8](repeating: 7, count: fill / 2), subtype: 0)
            $0.append("salt", salt)
            $0.append("fill", binary: [UInt8](repeating: UInt8(salt), count: fill / 2), subtype: 0)
        }
    }

    private static func fields(
        _ first: BSONDocument, _ second: BSONDocument
    ) throws -> [FieldDifference] {
        let excerpt = try DocumentExcerpt(first.bytes[...], second.bytes[...])
        #expect(excerpt.first.bytes.count < 200_000 && excerpt.second.bytes.count < 200_000)
        return try FieldDifference.between(excerpt.first, excerpt.second)
    }

    @Test func onlyWhatDiffersIsKeptAndLongValuesAreNamed() throws {
        let fields = try Self.fields(Self.large(1), Self.large(2))
        #expect(fields.map(\.path) == ["salt", "fill"])
        #expect(fields[0].first?.int32 == 1 && fields[0].second?.int32 == 2)
        let omitted = try #require(fields[1].first?.string)
        #expect(omitted.hasPrefix("$omitted: binary, 8000005 bytes, hash "), "\(omitted)")
        #expect(fields[1].first != fields[1].second)
    }

    @Test func elementsOfLargeArraysAreToldByIndex() throws {
        func made(_ changed: Set<Int>, count: Int = 300_000) -> BSONDocument {
            document(1) {
                let values = (0..<count).map { number in
                    BSONDocument { $0.append("v", Int32(changed.contains(number) ? -1 : number)) }
                }
                $0.append("list", array: values)
            }
        }
        let fields = try Self.fields(made([]), made([5, 299_999]))
        #expect(fields.map(\.path) == ["list.5.v", "list.299999.v"])
        let longer = try Self.fields(made([]), made([], count: 300_001))
        #expect(longer.map(\.path) == ["list.300000"] && longer[0].first == nil)
        // More than is told.
        let many = try Self.fields(made([]), made(Set(0..<1000)))
        #expect(many.count == FieldDifference.countMax)
    }

    @Test func otherFieldsAndAnotherOrderAreStillTold() throws {
        func made(_ names: [String]) -> BSONDocument {
            document(1) {
                $0.append("fill", binary: [UInt8](repeating: 7, count: 20_000), subtype: 0)
                for name in names { $0.append(name, "value of \(name)") }
            }
        }
        let fields = try Self.fields(made(["a", "b", "c"]), made(["a", "c", "d"]))
        #expect(Set(fields.map(\.path)).isSuperset(of: ["b", "d"]))
        #expect(try !Self.fields(made(["a", "b"]), made(["b", "a"])).isEmpty)
        let manyNames = (0..<60_000).map { "f\($0)" }
        #expect(try !Self.fields(made(manyNames), made(["x"] + manyNames)).isEmpty)
    }

    @Test func longIdentifiersAreNamedToo() throws {
        let id = try BSONValue.made { $0.append("", String(repeating: "x", count: 5_000_000)) }
        #expect(DocumentExcerpt.shown(id).bytes.count < 300)
        let short = try BSONValue.made { $0.append("", "short") }
        #expect(DocumentExcerpt.shown(short) == short)
        let runs = [id, short, short, id].runs(countMax: 2, byteCountMax: 1000)
        #expect(runs.map(\.count) == [1, 2, 1])
    }
}
