import BSONBytes
import SampleData
import Snapshots
import Testing

/// Random collections, random changes and random restores, compared with a model that is nothing
/// but dictionaries.
@Suite(.needsServer) struct ModelTests {
    /// Documents by collection and by the bytes of their `_id`.
    typealias Model = [String: [BSONValue: BSONDocument]]

    static let names = ["a", "b", "c.d", "capped"]

    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2])
    func restoresDoWhatTheModelDoes(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("capped", CollectionOptions.capped)
        var archived = try Self.collections(&random)
        for (name, documents) in archived {
            try await fixture.insert(Array(documents.values).inByteOrder, name)
        }
        archived["capped"] = archived["capped"] ?? [:]
        try await fixture.backup(width: 1 + random.below(3))
        var live = archived
        for _ in 0..<3 {
            try await Self.mutate(&live, fixture, &random)
            let mode = Restore.Mode.allCases[random.below(2)]
            let renames = Self.renames(of: archived, &random)
            try await fixture.restore(
                nil, mode, width: 1 + random.below(3),
                renames: renames.map { "\(fixture.database).\($0)=\(fixture.database).\($1)" })
            Self.restore(archived, mode, Dictionary(renames) { _, last in last }, over: &live)
            let found = try await Self.read(fixture)
            #expect(
                Self.differences(live, found) == [], "seed \(seed), \(mode), \(renames)")
        }
        // The canary: a checker that never complains would be of no use.
        let (name, documents) = try #require(live.first { !$0.value.isEmpty })
        let id = try #require(documents.keys.first)
        live[name]?[id] = document(id: id) { $0.append("canary", true) }
        #expect(Self.differences(live, try await Self.read(fixture)).count == 1)
        try await fixture.drop()
    }

    // MARK: The model

    static func restore(
        _ archived: Model, _ mode: Restore.Mode, _ renames: [String: String],
        over live: inout Model
    ) {
        for (name, documents) in archived {
            let target = renames[name] ?? name
            switch mode {
            case .replace: live[target] = documents
            case .merge: live[target, default: [:]].merge(documents) { _, archived in archived }
            }
        }
    }

    /// One line for each collection, and each document, that is not as it should be.
    static func differences(_ expected: Model, _ found: Model) -> [String] {
        Set(expected.keys).union(found.keys).sorted().flatMap { name -> [String] in
            guard let left = expected[name], let right = found[name] else {
                return ["\(name) is on one side only"]
            }
            return Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.map {
                "\(name): \($0)"
            }
        }
    }

    static func read(_ fixture: SnapshotFixture) async throws -> Model {
        var model: Model = [:]
        for name in try await fixture.names() {
            model[name] = try byID(try await fixture.documents(name))
        }
        return model
    }

    static func byID(_ documents: [BSONDocument]) throws -> [BSONValue: BSONDocument] {
        Dictionary(
            try documents.map { (try $0.require("_id") { $0 }, $0) },
            uniquingKeysWith: { _, last in last })
    }

    // MARK: Chance

    static func collections(_ random: inout SplitMix64) throws -> Model {
        var model: Model = [:]
        for name in names where random.chance(80) {
            let documents = (0..<random.below(300)).map { _ in someDocument(&random) }
            // An empty collection is not made by inserting nothing into it.
            if !documents.isEmpty { model[name] = try byID(documents) }
        }
        return model
    }

    static func someDocument(_ random: inout SplitMix64) -> BSONDocument {
        let number = random.below(400)
        let fields = random
        let count = random.below(4)
        return BSONDocument { builder in
            var random = fields
            if number % 2 == 0 {
                builder.append("_id", Int32(number))
            } else {
                builder.append("_id", "text \(number)")
            }
            for _ in 0..<count {
                let name = ["a", "", "x.y", "$v", "a"][random.below(5)]
                switch random.below(4) {
                case 0: builder.append(name, Double(bitPattern: random.next()))
                case 1: builder.append(name, Int64(truncatingIfNeeded: random.next()))
                case 2:
                    let text = String(repeating: "t", count: random.below(600))
                    builder.append(name, text)
                default: builder.append(name, BSONTimestamp(seconds: 1, increment: 2))
                }
            }
        }
    }

    /// No two into one: the targets are no names of the archive. A rename that fits nothing of it
    /// would be refused.
    static func renames(
        of archived: Model, _ random: inout SplitMix64
    ) -> [(String, String)] {
        names.prefix(3).filter { archived[$0] != nil && random.chance(30) }.map { name in
            (name, "\(name)_\(random.below(2))")
        }
    }

    static func mutate(
        _ live: inout Model, _ fixture: SnapshotFixture, _ random: inout SplitMix64
    ) async throws {
        for name in live.keys.sorted() where name != "capped" {
            if random.chance(10) {
                try await fixture.dropCollection(name)
                live[name] = nil
                continue
            }
            // In an order that the seed decides too.
            let ids = try [BSONDocument]((live[name] ?? [:]).values).inByteOrder.map {
                try $0.require("_id") { $0 }
            }
            for id in ids where random.chance(5) {
                if random.chance(50) {
                    try await fixture.delete(id, name)
                    live[name]?[id] = nil
                } else {
                    let other = document(id: id) { $0.append("changed", true) }
                    try await fixture.replace(id, by: other, name)
                    live[name]?[id] = other
                }
            }
            let new = document(Int32(1000 + random.below(1_000_000)))
            try await fixture.insert([new], name)
            live[name]?[try new.require("_id") { $0 }] = new
        }
    }
}
