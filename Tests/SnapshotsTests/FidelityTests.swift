import BSONBytes
import SampleData
import Snapshots
import Testing

/// Values that servers and drivers like to change.
@Suite(.needsServer) struct FidelityTests {
    private static let zero = BSONTimestamp(rawValue: 0)

    private static let emptyTimestamps: [BSONDocument] =
        EveryTypeDocuments.alteredByServers.prefix(1)
        + (0..<6).map { number in
            document(Int32(number)) {
                $0.append("plain", Int32(number))
                if number % 3 != 0 { $0.append("now", zero) }
                if number % 3 == 2 {
                    $0.append("now", zero)
                    $0.append("", zero)
                    $0.append("deep", nested(170))
                }
            }
        }

    @Test(arguments: [
        CollectionOptions.plain, CollectionOptions.capped, CollectionOptions.clustered,
    ])
    func emptyTimestampsSurvive(_ options: BSONDocument) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("c", options)
        try await fixture.storeExactly(Self.emptyTimestamps, "c")
        let before = try await fixture.state()
        #expect(
            before.collections["c"]?.documents.inByteOrder == Self.emptyTimestamps.inByteOrder)
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        let equal = try await fixture.restore(nil, .merge).outcome
        #expect(equal.equalCount == UInt64(Self.emptyTimestamps.count))
        // Those with an empty timestamp get it back over a document without one.
        for id: Int32 in [1, 2] {
            let value = try BSONValue.made { $0.append("", id) }
            try await fixture.replace(value, by: document(id), "c")
        }
        let merged = try await fixture.restore(nil, .merge).outcome
        #expect(merged.overwrittenCount == 2)
        #expect(merged.failedCount == 0, "\(merged)")
        let after = try await fixture.state()
        #expect(
            after.collections["c"]?.documents.inByteOrder == Self.emptyTimestamps.inByteOrder)
        try await fixture.drop()
    }

    @Test func anEmptyTimestampAsTheMetaOfATimeSeriesSurvives() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("weather", CollectionOptions.timeseries())
        try await fixture.insert(
            (0..<10).map { CollectionOptions.measurement($0, station: "s") }, "weather")
        let bucket = try #require(try await fixture.documents("system.buckets.weather").first)
        let altered = try BSONDocument { builder in
            for element in try bucket.elements() {
                switch element.name {
                case "_id":
                    builder.append("_id", try EveryTypeDocuments.objectID(like: element.value))
                case "meta": builder.append("meta", Self.zero)
                default: builder.append(element)
                }
            }
        }
        try await fixture.storeExactly([altered], "system.buckets.weather")
        let before = try await fixture.state()
        #expect(before.collections["system.buckets.weather"]?.documents.contains(altered) == true)
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.drop()
        try await fixture.restore(nil, .merge)
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    @Test func theLargestDocumentsSurvive() async throws {
        let fixture = try await SnapshotFixture.shared()
        let small = (0..<5).map { document($0) { $0.append("small", true) } }
        let large = EveryTypeDocuments.document()
        let largeWithTimestamp = Self.largeWithTimestamp()
        #expect(largeWithTimestamp.bytes.count == BSONLimits.documentByteCountMax)
        try await fixture.insert(small + [large], "c")
        try await fixture.storeExactly([largeWithTimestamp], "c")
        let before = try await fixture.documents("c").inByteOrder
        #expect(before == (small + [large, largeWithTimestamp]).inByteOrder)
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.documents("c").inByteOrder == before)
        for number: Int32 in [0, 1] {
            try await fixture.delete(try .made { $0.append("", number) }, "c")
        }
        let id = try large.require("_id") { $0 }
        try await fixture.replace(id, by: document(id: id), "c")
        try await fixture.delete(try largeWithTimestamp.require("_id") { $0 }, "c")
        let merged = try await fixture.restore(nil, .merge).outcome
        #expect(merged.insertedCount == 3)
        #expect(merged.overwrittenCount == 1)
        #expect(try await fixture.documents("c").inByteOrder == before)
        try await fixture.drop()
    }

    @Test func identifiersOfEveryTypeAreFoundByAMerge() async throws {
        let fixture = try await SnapshotFixture.shared()
        let documents = EveryTypeDocuments.identifiers
        try await fixture.insert(documents, "c")
        try await fixture.backup()
        for (position, document_) in documents.enumerated() {
            let id = try document_.require("_id") { $0 }
            switch position % 3 {
            case 0: try await fixture.delete(id, "c")
            case 1: try await fixture.replace(id, by: document(id: id), "c")
            default: break
            }
        }
        let outcome = try await fixture.restore(nil, .merge).outcome
        let count = UInt64(documents.count)
        #expect(outcome.insertedCount == (count + 2) / 3)
        #expect(outcome.overwrittenCount == (count + 1) / 3)
        #expect(outcome.equalCount == count / 3)
        #expect(try await fixture.documents("c").inByteOrder == documents.inByteOrder)
        try await fixture.drop()
    }

    /// Nearly as deep as a server takes; what stores it must not be much deeper.
    private static func nested(_ depth: Int) -> BSONDocument {
        (0..<depth).reduce(BSONDocument()) { inner, _ in
            BSONDocument { $0.append("d", inner) }
        }
    }

    /// Exactly 16 MiB with an empty timestamp.
    private static func largeWithTimestamp() -> BSONDocument {
        func make(_ count: Int) -> BSONDocument {
            document(77) {
                $0.append("now", zero)
                $0.append("fill", binary: [UInt8](repeating: 7, count: count), subtype: 0)
            }
        }
        return make(BSONLimits.documentByteCountMax - make(0).bytes.count)
    }
}

extension EveryTypeDocuments {
    /// Another ObjectId with the same time in it, as buckets have.
    fileprivate static func objectID(like value: BSONValue) throws -> BSONValue {
        var bytes = Array(value.bytes)
        bytes[11] ^= 1
        return BSONValue(type: .objectID, bytes: bytes[...])
    }
}
