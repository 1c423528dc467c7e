import BSONBytes
import Snapshots
import Testing

/// Merging where collections are not plain ones.
@Suite(.needsServer) struct MergeKindsTests {
    @Test func whatIsMissingAsAWholeComesWithOptionsAndIndexes() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await CollectionKinds.make(fixture)
        let before = try await fixture.state()
        try await fixture.backup()
        try await fixture.drop()
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(outcome.failedCount == 0)
        let after = try await fixture.state()
        for (name, collection) in before.collections {
            #expect(after.collections[name] == collection, "\(name)")
        }
        // A second time, nothing is left to do.
        let again = try await fixture.restore(nil, .merge).outcome
        #expect(again.equalCount == again.documentCount)
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    @Test(arguments: [CollectionOptions.capped, CollectionOptions.clustered])
    func cappedAndClusteredOnesAreMerged(_ options: BSONDocument) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("c", options)
        let archived = (0..<20).map { number in
            document(Int32(number * 7 % 20)) { $0.append("text", "as it was") }
        }
        try await fixture.insert(archived, "c")
        try await fixture.backup()
        try await fixture.dropCollection("c")
        try await fixture.create("c", options)
        try await fixture.insert([document(500), document(7), archived[0]], "c")
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(outcome.failedCount == 0, "\(outcome)")
        #expect(outcome.insertedCount == 18)
        #expect(outcome.overwrittenCount == 1)
        #expect(outcome.equalCount == 1)
        let after = try await fixture.documents("c")
        #expect(after.inByteOrder == (archived + [document(500)]).inByteOrder)
        if try options.first("capped") != nil {
            // What was inserted is in the archive's order, behind what was there.
            #expect(Array(after.suffix(18)) == Array(archived.dropFirst(2)))
        }
        try await fixture.drop()
    }

    @Test func bucketsOfATimeSeriesAreMerged() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("weather", CollectionOptions.timeseries())
        for station in ["a", "b", "c"] {
            try await fixture.insert(
                (0..<10).map { CollectionOptions.measurement($0, station: station) }, "weather")
        }
        let buckets = "system.buckets.weather"
        let before = try await fixture.documents(buckets)
        try await fixture.backup()
        // One bucket grows, one goes, one is new.
        try await fixture.insert([CollectionOptions.measurement(11, station: "a")], "weather")
        let gone = try #require(
            try before.first { try $0.require("meta", \.string) == "b" })
        try await fixture.delete(try gone.require("_id") { $0 }, buckets)
        try await fixture.insert([CollectionOptions.measurement(0, station: "new")], "weather")
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(outcome.failedCount == 0, "\(outcome)")
        #expect(outcome.insertedCount == 1)
        let after = try await fixture.documents(buckets)
        #expect(Set(after).isSuperset(of: before))
        #expect(after.count == before.count + 1)
        try await fixture.drop()
    }
}
