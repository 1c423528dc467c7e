import ArchiveFormat
import BSONBytes
import Testing

@testable import SnapshotJSON
@testable import Snapshots

/// What scripts and a service rely on, letter for letter.
@Suite struct SnapshotJSONTests {
    private let id = SnapshotID(milliseconds: 0, kind: "manual", random: 1)

    @Test func aDamagedSnapshotInAListing() {
        let overview = SnapshotCatalog.Overview(
            id: id, key: "k", storedByteCount: 7, error: "it is cut")
        #expect(
            JSONValue(overview, path: "/r/k").text
                == #"{"id":"19700101T000000Z-manual-000001","path":"/r/k","stored_bytes":7,"#
                + #""last_verified":null,"damaged":true,"error":"it is cut"}"#)
        #expect(JSONValue(overview, path: nil).text.contains(#""path":null"#))
    }

    @Test func consistencyAndLoss() {
        #expect(
            JSONValue(Manifest.Consistency.none).text == #"{"level":"none","cluster_time":null}"#)
        #expect(JSONValue(Manifest.Loss?.none) == .null)
        #expect(
            JSONValue(Manifest.Loss(chunkCount: 1, documentCount: nil, mayBeMore: true)).text
                == #"{"chunks":1,"documents":null,"may_be_more":true}"#)
    }

    @Test func stringsOfSamplesThatAreNotUTF8AreCounted() throws {
        let bad = BSONValue(type: .string, bytes: [3, 0, 0, 0, 0x61, 0xFF, 0])
        let good = BSONValue(type: .string, bytes: [5, 0, 0, 0, 0xEF, 0xBF, 0xBD, 0x61, 0])
        func version(_ value: BSONValue) -> BSONDocument { BSONDocument { $0.append("x", value) } }
        var difference = NamespaceDifference(Namespace("d", "c"))
        #expect(try DifferenceJSON.invalidStringCount([difference]) == .count(0))
        difference.onlyInFirst = [bad, good]
        difference.onlyInSecond = [bad]
        difference.differing = [
            NamespaceDifference.Differing(
                id: bad, fields: try FieldDifference.between(version(bad), version(good)))
        ]
        difference.indexes = [
            NamespaceDifference.Index(name: "i", first: version(bad), second: nil)
        ]
        difference.uniqueConflicts = [.init(index: "u", documentCount: 1, ids: [bad])]
        #expect(try DifferenceJSON.invalidStringCount([difference, difference]) == .count(12))
    }

    @Test func statisticsOfNothing() {
        let statistics = RepositoryStatistics([], space: nil, now: 0)
        #expect(
            JSONValue(statistics).text
                == #"{"snapshots":0,"kinds":{},"damaged":0,"documents":0,"bytes":0,"#
                + #""stored_bytes":0,"ratio":null,"bytes_per_second":null,"seconds":null,"#
                + #""oldest":null,"newest":null,"last_success":null,"last_verified":null,"#
                + #""growth_bytes_per_day":null,"free_bytes":null,"total_bytes":null}"#)
    }

    @Test func aVerification() throws {
        let seal = try #require(SHA256Digest(bytes: [UInt8](repeating: 1, count: 32)))
        let verification = Verification(at: 0, seal: seal, seconds: 1.5, error: "a chunk")
        #expect(
            JSONValue(verification).text
                == #"{"at":"1970-01-01T00:00:00Z","outcome":"damaged","seconds":1.500,"#
                + #""error":"a chunk"}"#)
    }
}
