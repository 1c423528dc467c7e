import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

/// A replace leaves exactly the snapshot's definitions, or fails before it writes.
@Suite(.needsServer) struct ReplacedDefinitionTests {
    static func compare(
        _ fixture: SnapshotFixture, for purpose: LiveComparison.Purpose = .difference
    ) async throws -> LiveComparison.Report {
        try await LiveComparison(
            .snapshot("latest", in: fixture.catalog), with: fixture.pool, for: purpose,
            restore: Restore.Options(mode: .replace, width: 2),
            options: Comparison.Options(width: 2), observer: RecordingObserver()
        ).run()
    }

    /// What `diff --live` would tell.
    static func differences(_ fixture: SnapshotFixture) async throws -> [String] {
        try await compare(fixture).entries.filter { !$0.difference.isEqual }.map {
            "\($0.difference)"
        }
    }

    private func index(
        _ name: String, on field: String, _ adjust: (inout BSONBuilder) -> Void = { _ in }
    ) -> BSONDocument {
        BSONDocument {
            $0.append("key", BSONDocument { $0.append(field, Int32(1)) })
            $0.append("name", name)
            adjust(&$0)
        }
    }

    private func create(
        _ index: BSONDocument, of collection: String, _ fixture: SnapshotFixture
    ) async throws {
        try await fixture.pool.withConnection { connection in
            try await connection.createIndexes([index], of: collection, in: fixture.database)
        }
    }

    private func drop(
        _ index: String, of collection: String, _ fixture: SnapshotFixture
    ) async throws {
        try await fixture.pool.withConnection { connection in
            try await connection.dropIndex(index, of: collection, in: fixture.database)
        }
    }

    @Test(arguments: [false, true])
    func aLiveTimeSeriesGetsExactlyTheSnapshotsIndexes(isInPlace: Bool) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("weather", CollectionOptions.timeseries())
        try await fixture.insert(
            (0..<50).map { CollectionOptions.measurement($0, station: "s\($0 % 3)") }, "weather")
        try await create(index("one", on: "station"), of: "weather", fixture)
        try await create(index("two", on: "celsius"), of: "weather", fixture)
        try await create(index("three", on: "station.a"), of: "weather", fixture)
        try await fixture.backup()
        // One is missing, one has another key, one another option, and one is too much.
        for name in ["one", "two", "three"] { try await drop(name, of: "weather", fixture) }
        try await create(index("two", on: "station"), of: "weather", fixture)
        try await create(
            index("three", on: "station.a") { $0.append("hidden", true) }, of: "weather", fixture)
        try await create(index("extra", on: "humidity"), of: "weather", fixture)
        try await fixture.expire("weather", after: 1_100_000_000)
        #expect(try await Self.differences(fixture).count == 1)
        let report = try await fixture.restore { $0.isInPlace = isInPlace }
        #expect(try await Self.differences(fixture) == [])
        #expect(report.outcome.equalCount == report.outcome.documentCount)
        #expect(report.outcome.insertedCount == 0 && report.outcome.measurementCount == 50)
        #expect(try await fixture.names().filter { $0.hasPrefix("cairn.") } == [])
        try await fixture.drop()
    }

    @Test func liveSystemScriptsGetExactlyTheSnapshotsIndexes() async throws {
        let fixture = try await SnapshotFixture.shared()
        func script(_ name: String, _ value: Int32) throws -> BSONDocument {
            try document(id: BSONValue.made { $0.append("", name) }) { $0.append("value", value) }
        }
        try await fixture.create("system.js")
        try await fixture.insert([script("f", 1), script("g", 2)], "system.js")
        try await create(index("one", on: "value"), of: "system.js", fixture)
        try await fixture.backup()
        try await drop("one", of: "system.js", fixture)
        try await create(index("one", on: "other"), of: "system.js", fixture)
        try await fixture.insert([script("h", 3)], "system.js")
        // It would refuse a document of the snapshot for a while.
        try await fixture.delete(BSONValue.made { $0.append("", "g") }, "system.js")
        try await fixture.insert([script("i", 2)], "system.js")
        try await create(
            index("unique", on: "value") { $0.append("unique", true) }, of: "system.js", fixture)
        let report = try await fixture.restore()
        #expect(try await Self.differences(fixture) == [])
        let outcome = report.outcome
        #expect(outcome.insertedCount == 1 && outcome.equalCount == 1 && outcome.deletedCount == 2)
        try await fixture.drop()
    }

    /// Two views that are made of each other the other way round can't be changed in any order.
    @Test func viewsThatChangePlacesComeBack() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1)], "c")
        let names = (0..<6).map { "v\($0)" }
        for (position, name) in names.enumerated() {
            let source = position == 0 ? "c" : names[position - 1]
            try await fixture.create(name, CollectionOptions.view(on: source, match: 1))
        }
        try await fixture.backup()
        for name in names { try await fixture.dropCollection(name) }
        for (position, name) in names.reversed().enumerated() {
            let source = position == 0 ? "c" : names[names.count - position]
            try await fixture.create(name, CollectionOptions.view(on: source, match: 1))
        }
        let report = try await fixture.restore()
        #expect(report.outcome.views.changedCount == 6)
        #expect(try await Self.differences(fixture) == [])
        let again = try await fixture.restore()
        #expect(again.outcome.views.equalCount == 6 && again.outcome.views.changedCount == 0)
        try await fixture.drop()
    }

    /// Random definitions in the snapshot and live, every way to replace: afterwards all is equal,
    /// or the restore has failed and nothing has changed. Bound: 12 rounds of 8 namespaces a seed.
    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2])
    func anyDefinitionsBecomeTheSnapshots(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let fixture = try await SnapshotFixture.shared()
        var restoredCount = 0
        for round in 0..<12 {
            try await RandomDefinitions.make(fixture, &random)
            try await fixture.backup()
            if random.below(4) > 0 {
                try await fixture.drop()
                try await RandomDefinitions.make(fixture, &random)
            } else {
                try await RandomDefinitions.alter(fixture, &random)
            }
            let before = try await RandomDefinitions.state(fixture)
            let way = RestoreWay.allCases[random.below(4)]
            let job = JobID(kind: "restore", fixture.environment)
            let place = "seed \(seed), round \(round), \(way)"
            let foretold = try await Self.compare(fixture, for: .preview).refusals
                .filter { $0.ways.contains(way) }
            do {
                try await fixture.restore(nil, way == .merge ? .merge : .replace) {
                    $0.isInPlace = way == .inPlace
                    if way == .keepOld { $0.keepOld = Restore.KeepOld(job: job, seconds: 600) }
                }
                restoredCount += 1
                #expect(foretold == [], "\(place)")
                guard way != .merge else {
                    try await fixture.drop()
                    continue
                }
                let differing = try await Self.compare(fixture).entries.filter {
                    $0.difference.isInFirst && !$0.difference.isEqual
                }
                #expect(differing.map { "\($0.difference)" } == [], "\(place)")
            } catch let error as SnapshotError {
                #expect(
                    try await RandomDefinitions.state(fixture) == before, "\(place): \(error)")
                #expect(
                    foretold.contains { error.message.hasPrefix($0.refusal.message) },
                    "\(place): \(error) was not foretold")
            }
            try await fixture.drop()
        }
        #expect(restoredCount > 0, "seed \(seed): all were refused, so nothing was tested")
    }
}
