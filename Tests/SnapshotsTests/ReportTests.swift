import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

/// The numbers of reports are those of a count of our own, for every kind of thing.
@Suite(.needsServer) struct ReportTests {
    /// Documents by their `_id`s.
    typealias Documents = [BSONValue: BSONDocument]

    /// What one side has and the other has not.
    struct Count: Equatable {
        var inserted: UInt64 = 0
        var differing: UInt64 = 0
        var equal: UInt64 = 0
        var onlyLive: UInt64 = 0

        init() {}

        init(_ archived: Documents, _ live: Documents) {
            for (id, document) in archived {
                switch live[id] {
                case nil: inserted += 1
                case document: equal += 1
                case _?: differing += 1
                }
            }
            onlyLive = UInt64(live.keys.filter { archived[$0] == nil }.count)
        }

        init(_ difference: NamespaceDifference) {
            inserted = difference.onlyInFirstCount
            differing = difference.differingCount
            equal = difference.equalCount
            onlyLive = difference.onlyInSecondCount
        }
    }

    private static let data = ["c": "c", "t": "system.buckets.t", "system.js": "system.js"]

    private static func documents(
        _ fixture: SnapshotFixture, _ name: String
    ) async throws -> Documents {
        var found: Documents = [:]
        for document in try await fixture.documents(data[name] ?? name) {
            found[try document.require("_id") { $0 }] = document
        }
        return found
    }

    private static func scripts(_ numbers: Range<Int>) throws -> [BSONDocument] {
        try numbers.map { number in
            try document(id: BSONValue.made { $0.append("", "f\(number)") }) {
                $0.append("value", Int32(number))
            }
        }
    }

    private static func fill(_ fixture: SnapshotFixture, _ random: inout SplitMix64) async throws {
        try await fixture.create("t", CollectionOptions.timeseries())
        try await fixture.insert((0..<40).map { document(Int32($0)) }, "c")
        try await fixture.insert(
            (0..<60).map { CollectionOptions.measurement($0, station: "s\($0 % 7)") }, "t")
        try await fixture.insert(scripts(0..<10), "system.js")
        for name in ["v", "w", "x", "y"] {
            try await fixture.create(name, CollectionOptions.view(on: "c", match: 1))
        }
    }

    private static func mutate(
        _ fixture: SnapshotFixture, _ random: inout SplitMix64
    ) async throws {
        for number in 0..<40 where random.below(3) == 0 {
            let id = try BSONValue.made { $0.append("", Int32(number)) }
            if random.below(2) == 0 {
                try await fixture.delete(id, "c")
            } else {
                try await fixture.replace(
                    id, by: document(Int32(number)) { $0.append("order", Int32(1)) }, "c")
            }
        }
        try await fixture.insert((100..<101 + random.below(5)).map { document(Int32($0)) }, "c")
        try await fixture.insert(
            (0..<random.below(5) + 1).map { number in
                CollectionOptions.measurement(number + 1000, station: "s\(random.below(9))")
            }, "t")
        for number in 0..<10 where random.below(3) == 0 {
            try await fixture.delete(BSONValue.made { $0.append("", "f\(number)") }, "system.js")
        }
        try await fixture.insert(scripts(20..<21 + random.below(3)), "system.js")
        try await fixture.dropCollection("w")
        try await fixture.dropCollection("x")
        try await fixture.create("x", CollectionOptions.view(on: "c", match: 2))
    }

    /// Bound: 5 ways to restore a seed.
    @Test(arguments: [UInt64.random(in: 0 ... .max), 1])
    func countsAreThoseOfAModel(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        for way in ["replace", "in place", "merge", "keep"] {
            let fixture = try await SnapshotFixture.shared()
            try await Self.fill(fixture, &random)
            try await fixture.backup()
            var archived: [String: Documents] = [:]
            for name in Self.data.keys {
                archived[name] = try await Self.documents(fixture, name)
            }
            try await Self.mutate(fixture, &random)
            var counts: [String: Count] = [:]
            for name in Self.data.keys {
                counts[name] = Count(
                    archived[name] ?? [:], try await Self.documents(fixture, name))
            }
            let preview = try await ReplacedDefinitionTests.compare(fixture, for: .preview)
            for entry in preview.entries where entry.type != .view {
                #expect(
                    Count(entry.difference) == counts[entry.target.collection],
                    "seed \(seed), preview, \(entry.target)")
            }
            let mode: Restore.Mode = ["merge", "keep"].contains(way) ? .merge : .replace
            let report = try await fixture.restore(nil, mode) {
                $0.isInPlace = way == "in place"
                if way == "keep" { $0.conflictRule = .keep }
            }
            for entry in report.entries where entry.type != .view {
                let name = entry.target.collection
                let count = try #require(counts[name])
                let place = "seed \(seed), \(way), \(name): \(entry.outcome)"
                Self.check(entry, count, way, UInt64(archived[name]?.count ?? 0), place)
            }
            let views = report.outcome.views
            #expect(views.createdCount == 1 && views.equalCount == 2, "seed \(seed), \(way)")
            #expect(views.changedCount == (way == "keep" ? 0 : 1))
            #expect(views.keptCount == (way == "keep" ? 1 : 0))
            #expect(report.outcome.measurementCount == 60)
            #expect(report.entries.first { $0.type == .timeseries }?.unit == .bucket)
            try await fixture.drop()
        }
    }

    private static func check(
        _ entry: RestoreReport.Entry, _ count: Count, _ way: String, _ archivedCount: UInt64,
        _ place: String
    ) {
        let outcome = entry.outcome
        #expect(outcome.documentCount == archivedCount, "\(place)")
        // A collection that is swapped in is loaded anew as a whole.
        guard way != "replace" || entry.target.collection != "c" else {
            #expect(outcome.insertedCount == archivedCount && outcome.equalCount == 0, "\(place)")
            return
        }
        #expect(outcome.insertedCount == count.inserted, "\(place)")
        #expect(outcome.equalCount == count.equal, "\(place)")
        #expect(outcome.overwrittenCount == (way == "keep" ? 0 : count.differing), "\(place)")
        #expect(outcome.keptCount == (way == "keep" ? count.differing : 0), "\(place)")
        let isReplaced = way == "replace" || way == "in place"
        #expect(outcome.deletedCount == (isReplaced ? count.onlyLive : 0), "\(place)")
    }

    /// What only a server has is counted as what it is.
    @Test func whatIsOnlyLiveIsCountedInADifference() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1)], "c")
        try await fixture.backup()
        try await fixture.create("t", CollectionOptions.timeseries())
        try await fixture.insert(
            (0..<60).map { CollectionOptions.measurement($0, station: "s\($0 % 7)") }, "t")
        try await fixture.create("v", CollectionOptions.view(on: "c", match: 1))
        let report = try await ReplacedDefinitionTests.compare(fixture)
        let series = report.entries.first { $0.target.collection == "t" }?.difference
        #expect(series?.unit == .bucket && series?.onlyInSecondCount == 7)
        let view = report.entries.first { $0.target.collection == "v" }?.difference
        #expect(view != nil && view?.unit == nil && view?.onlyInSecondCount == 0)
        try await fixture.drop()
    }
}

/// Which fields two documents differ in.
@Suite struct FieldDifferenceTests {
    private func between(
        _ first: (inout BSONBuilder) -> Void, _ second: (inout BSONBuilder) -> Void
    ) throws -> [String] {
        try FieldDifference.between(BSONDocument(first), BSONDocument(second)).map { field in
            let names = field.steps.map { "\($0.name)#\($0.occurrence)" }.joined(separator: "/")
            return field.isOrder
                ? "order of \(names)"
                : "\(names): \(field.first?.int32 ?? -1) → \(field.second?.int32 ?? -1)"
        }
    }

    /// Whatever the name: a change is one of that field, and not of the order.
    @Test(arguments: ["order", "order of fields", "", "a.b", "a", "é", "\u{1F600}", "$x", "0"])
    func aChangeIsOneOfItsField(_ name: String) throws {
        #expect(
            try between({ $0.append(name, Int32(1)) }, { $0.append(name, Int32(2)) })
                == ["\(name)#0: 1 → 2"])
        let inner = BSONDocument { $0.append(name, Int32(1)) }
        let other = BSONDocument { $0.append(name, Int32(2)) }
        #expect(
            try between({ $0.append("in", inner) }, { $0.append("in", other) })
                == ["in#0/\(name)#0: 1 → 2"])
    }

    @Test func fieldsOfOneNameAreComparedOneByOne() throws {
        #expect(
            try between(
                {
                    $0.append("a", Int32(1))
                    $0.append("a", Int32(2))
                },
                {
                    $0.append("a", Int32(1))
                    $0.append("a", Int32(3))
                }) == ["a#1: 2 → 3"])
        #expect(
            try between(
                {
                    $0.append("a", Int32(1))
                    $0.append("a", Int32(2))
                }, { $0.append("a", Int32(1)) }) == ["a#1: 2 → -1"])
    }

    @Test func anotherOrderIsReportedBesideChanges() throws {
        #expect(
            try between(
                {
                    $0.append("a", Int32(1))
                    $0.append("b", Int32(2))
                },
                {
                    $0.append("b", Int32(3))
                    $0.append("a", Int32(1))
                }) == ["b#0: 2 → 3", "order of "])
        // One that is only on one side moves none of the others.
        #expect(
            try between(
                {
                    $0.append("a", Int32(1))
                    $0.append("b", Int32(2))
                }, { $0.append("b", Int32(2)) }) == ["a#0: 1 → -1"])
    }

    /// Names that look alike are other names.
    @Test func namesAreComparedByTheirBytes() throws {
        #expect(
            try between(
                { $0.append("e\u{301}", Int32(1)) }, { $0.append("\u{E9}", Int32(1)) }
            ).count == 2)
    }
}
