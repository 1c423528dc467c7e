import BSONBytes
import Snapshots
import Testing

/// Replacing where something else is live already.
@Suite(.needsServer) struct ReplaceTests {
    /// Makes what is archived, then what is live, and replaces; the result must be the archived.
    private func replace(
        archived: (SnapshotFixture) async throws -> Void,
        live: (SnapshotFixture) async throws -> Void
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await archived(fixture)
        let before = try await fixture.state()
        try await fixture.backup()
        try await live(fixture)
        #expect(try await fixture.state() != before)
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    /// A time series takes a second connection while it holds the first. With as many of them as
    /// connections none may wait for another forever.
    @Test(.timeLimit(.minutes(2))) func moreTimeSeriesThanConnectionsComeBack() async throws {
        func series(_ fixture: SnapshotFixture, _ value: Int32) async throws {
            for number in 0..<6 {
                let name = "series \(number)"
                try await fixture.create(
                    name,
                    BSONDocument {
                        $0.append("timeseries", BSONDocument { $0.append("timeField", "t") })
                    })
                let measured = BSONDocument {
                    $0.append("t", dateMilliseconds: 1_700_000_000_000)
                    $0.append("value", value)
                }
                try await fixture.insert([measured], name)
            }
        }
        try await replace(
            archived: { try await series($0, 1) },
            live: {
                try await $0.drop()
                try await series($0, 2)
            })
    }

    /// The same where it must be refused and leave everything as it was.
    private func refuse(
        archived: (SnapshotFixture) async throws -> Void,
        live: (SnapshotFixture) async throws -> Void
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await archived(fixture)
        try await fixture.backup()
        try await fixture.drop()
        try await live(fixture)
        let before = try await fixture.state()
        for mode in Restore.Mode.allCases {
            let error = await #expect(throws: SnapshotError.self) {
                try await fixture.restore(nil, mode)
            }
            #expect(error?.code == .namespaceConflict)
            #expect(error?.message.contains("\(fixture.database).c") == true)
            #expect(try await fixture.state() == before)
        }
        try await fixture.drop()
    }

    @Test func contentOptionsAndIndexesBecomeThoseOfTheArchive() async throws {
        try await replace {
            try await $0.create("c", CollectionOptions.caseInsensitive)
            try await $0.insert((0..<10).map { document($0) }, "c")
            try await $0.createIndex("n", on: "n", of: "c")
        } live: {
            try await $0.dropCollection("c")
            try await $0.create("c", CollectionOptions.capped)
            try await $0.insert((5..<30).map { document($0) { $0.append("n", true) } }, "c")
            try await $0.createIndex("n", on: "m", of: "c", unique: false)
        }
    }

    @Test func anEmptyCollectionReplacesAFullOne() async throws {
        try await replace {
            try await $0.create("c")
        } live: {
            try await $0.insert([document(1)], "c")
        }
    }

    @Test(arguments: [false, true])
    func aViewGetsThePipelineAndTheCollationOfTheArchive(collation: Bool) async throws {
        try await replace {
            try await $0.insert([document(1) { $0.append("n", Int32(1)) }], "c")
            try await $0.create("v", CollectionOptions.view(on: "c", match: 1))
        } live: { fixture in
            try await fixture.dropCollection("v")
            let other = CollectionOptions.view(on: "elsewhere", match: 2)
            let options = try BSONDocument { builder in
                for element in try other.elements() { builder.append(element) }
                guard collation else { return }
                for element in try CollectionOptions.caseInsensitive.elements() {
                    builder.append(element)
                }
            }
            try await fixture.create("v", options)
        }
    }

    @Test func aViewIsNoPlaceForACollection() async throws {
        try await refuse {
            try await $0.insert([document(1)], "c")
        } live: {
            try await $0.insert([document(2)], "d")
            try await $0.create("c", CollectionOptions.view(on: "d", match: 1))
        }
    }

    @Test func aCollectionIsNoPlaceForAView() async throws {
        try await refuse {
            try await $0.create("c", CollectionOptions.view(on: "d", match: 1))
        } live: {
            try await $0.insert([document(2)], "c")
        }
    }

    @Test func aTimeSeriesIsNoPlaceForACollection() async throws {
        try await refuse {
            try await $0.insert([document(1)], "c")
        } live: {
            try await $0.create("c", CollectionOptions.timeseries())
        }
    }

    private static func measure(
        _ fixture: SnapshotFixture, _ stations: [String], _ numbers: Range<Int>
    ) async throws {
        for station in stations {
            try await fixture.insert(
                numbers.map { CollectionOptions.measurement($0, station: station) }, "c")
        }
    }

    @Test(arguments: [["a", "b", "c"], ["c", "d"], [], ["a", "b", "c", "d", "e"]])
    func aTimeSeriesBecomesThatOfTheArchive(_ stations: [String]) async throws {
        try await replace {
            try await $0.create("c", CollectionOptions.timeseries())
            try await Self.measure($0, ["a", "b", "c"], 0..<10)
        } live: {
            try await $0.dropCollection("c")
            try await $0.create("c", CollectionOptions.timeseries())
            try await Self.measure($0, stations, 5..<8)
        }
    }

    @Test func bucketsThatGrewShrinkAgain() async throws {
        try await replace {
            try await $0.create("c", CollectionOptions.timeseries())
            try await Self.measure($0, ["a", "b"], 0..<10)
        } live: {
            try await Self.measure($0, ["a", "x"], 3..<20)
        }
    }

    @Test func theExpiryOfATimeSeriesBecomesThatOfTheArchive() async throws {
        for expiries: [Int64?] in [[1_000_000_000, 1_500_000_000], [nil, 1_500_000_000]] {
            try await replace {
                try await $0.create("c", CollectionOptions.timeseries())
                try await Self.measure($0, ["a"], 0..<10)
                if let expiry = expiries[0] { try await $0.expire("c", after: expiry) }
            } live: {
                if let expiry = expiries[1] { try await $0.expire("c", after: expiry) }
            }
        }
    }

    @Test func aTimeSeriesWithOtherOptionsIsRefused() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("c", CollectionOptions.timeseries())
        try await Self.measure(fixture, ["a"], 0..<10)
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.create("c", CollectionOptions.timeseries(granularity: "seconds"))
        try await Self.measure(fixture, ["b"], 0..<10)
        let before = try await fixture.state()
        for mode in Restore.Mode.allCases {
            let error = await #expect(throws: SnapshotError.self) {
                try await fixture.restore(nil, mode)
            }
            #expect(error?.code == .namespaceConflict, "\(mode)")
            #expect(try await fixture.state() == before, "\(mode)")
        }
        try await fixture.drop()
    }

    @Test(arguments: [true, false], Restore.Mode.allCases)
    func functionsOfTheDatabaseComeBack(existing: Bool, mode: Restore.Mode) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1), document(2)], "system.js")
        let before = try await fixture.state()
        try await fixture.backup()
        if existing {
            try await fixture.delete(.made { $0.append("", Int32(1)) }, "system.js")
            if mode == .replace { try await fixture.insert([document(3)], "system.js") }
        } else {
            try await fixture.drop()
        }
        try await fixture.restore(nil, mode)
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }
}
