import BSONBytes
import MongoDriver
import SampleData
import Snapshots

/// Changes a database in every way that applications do, at random, one change after another.
struct RandomWriter {
    /// Accounts on each of two sides; money only moves between the sides.
    static let accountCount: Int32 = 50
    static let balance: Int32 = 1000
    static let fillerCount: Int32 = 2000

    let fixture: SnapshotFixture
    /// Whether collections get other names.
    var renames = true
    private var random: SplitMix64
    private var number: Int32 = 0
    /// Collections that were made and are there.
    private var made: [String] = []
    private var hasView = true
    private var hasIndex = true

    init(_ fixture: SnapshotFixture, seed: UInt64) {
        self.fixture = fixture
        random = SplitMix64(seed: seed)
    }

    /// What there is before the first change; `m_filler` takes several replies to be read.
    static func prepare(_ fixture: SnapshotFixture) async throws {
        for side in ["a_left", "z_right"] {
            try await fixture.insert(
                (0..<accountCount).map { id in document(id) { $0.append("n", balance) } }, side)
        }
        let fill = [UInt8](repeating: 7, count: 4000)
        for start in stride(from: 0, to: fillerCount, by: 500) {
            try await fixture.insert(
                (start..<start + 500).map { id in
                    document(id) { $0.append("fill", binary: fill, subtype: 0) }
                }, "m_filler")
        }
        for name in ["b_docs", "y_docs"] {
            try await fixture.insert((0..<100).map { Self.nested($0, 0) }, name)
            try await fixture.createIndex("u", on: "unique", of: name, unique: true)
        }
        try await fixture.create(
            "capped",
            BSONDocument {
                $0.append("capped", true)
                $0.append("size", Int64(4096))
                $0.append("max", Int64(12))
            })
        try await fixture.insert((0..<30).map { document($0) }, "capped")
        try await fixture.create("series", CollectionOptions.timeseries())
        try await fixture.create("z_series", CollectionOptions.timeseries())
        try await fixture.create("view", CollectionOptions.view(on: "b_docs", match: 1))
        try await fixture.create("other_view", CollectionOptions.view(on: "b_docs", match: 1))
    }

    /// Makes so many changes.
    mutating func change(_ count: Int) async throws {
        for _ in 0..<count { try await changeOnce() }
    }

    /// Makes what is made only once: other kinds of collections, databases and users.
    func makeOthers() async throws {
        try await fixture.create("new_series", CollectionOptions.timeseries())
        for (name, field) in [("by_station", "station"), ("by_time", "at")] {
            try await fixture.createIndex(name, on: field, of: "new_series")
        }
        try await fixture.insert(
            (0..<5).map { CollectionOptions.measurement($0, station: "new") }, "new_series")
        try await fixture.expire("series", after: 1_000_000_000)
        try await fixture.create("clustered", CollectionOptions.clustered)
        try await fixture.insert([document(1)], "clustered")
        try await fixture.create("collated", CollectionOptions.caseInsensitive)
        try await fixture.createIndex("n", on: "n", of: "collated")
        try await fixture.insert([document(1)], "moved")
        try await fixture.createIndex("n", on: "n", of: "moved")
        try await fixture.pool.withConnection { connection in
            try await connection.renameCollection(
                from: "d.moved", to: "other.moved", dropTarget: false)
        }
        try await fixture.command(
            BSONDocument {
                $0.append("create", "gone")
                $0.append("capped", true)
                $0.append("size", Int64(4096))
            }, on: "passing")
        try await fixture.drop("passing")
        try await fixture.createUser("new")
    }

    private mutating func changeOnce() async throws {
        number += 1
        switch random.below(20) {
        case 0..<5: try await transfer()
        case 5..<9: try await changeDocuments()
        case 9..<12: try await changeFiller()
        case 12: try await fixture.insert([document(1000 + number)], "capped")
        case 13: try await measure()
        case 14: try await changeViews()
        case 15: try await changeIndexes()
        case 16: try await changeOptions()
        default: try await changeCollections()
        }
    }

    /// Moves money in a transaction.
    mutating func transfer() async throws {
        let id = Int32(random.below(Int(Self.accountCount)))
        let amount = Int32(random.below(100))
        let database = fixture.database
        let fixture = fixture
        try await fixture.pool.withConnection { connection in
            try await connection.withTransaction { transaction in
                for (side, amount) in [("a_left", -amount), ("z_right", amount)] {
                    let statement = Self.statement(id) {
                        $0.append("$inc", BSONDocument { $0.append("n", amount) })
                    }
                    _ = try await transaction.run(
                        Self.update(side, [statement]), on: database)
                }
            }
        }
    }

    private mutating func changeDocuments() async throws {
        let collection = ["b_docs", "y_docs"][random.below(2)]
        let id = Int32(random.below(130))
        switch random.below(5) {
        case 0:
            let statement = BSONDocument {
                $0.append("q", BSONDocument { $0.append("_id", id) })
                $0.append("limit", Int32(1))
            }
            try await fixture.command(
                BSONDocument {
                    $0.append("delete", collection)
                    $0.append("deletes", array: [statement])
                })
        case 1:
            let command = BSONDocument {
                $0.append("insert", collection)
                $0.append("documents", array: [Self.nested(id, number)])
            }
            // Refused when it is there.
            _ = try await fixture.pool.withConnection { [database = fixture.database] in
                try await $0.write(command, on: database)
            }
        case 2:
            let whole = Self.nested(id, number)
            try await fixture.command(
                Self.update(
                    collection,
                    [
                        BSONDocument {
                            $0.append("q", BSONDocument { $0.append("_id", id) })
                            $0.append("u", whole)
                        }
                    ]))
        default:
            let number = number
            let statement = Self.statement(id) {
                $0.append("$set", BSONDocument { $0.append("sub.deep.\(number % 3)", number) })
                $0.append("$push", BSONDocument { $0.append("list", number) })
                $0.append("$unset", BSONDocument { $0.append("gone\(number % 4)", "") })
            }
            try await fixture.command(Self.update(collection, [statement]))
        }
    }

    /// Deleting and inserting again moves a document behind the cursor that is under way.
    private mutating func changeFiller() async throws {
        let id = Int32(random.below(Int(Self.fillerCount)))
        let number = number
        if random.below(2) == 0 {
            try await fixture.delete(.made { $0.append("", id) }, "m_filler")
            try await fixture.insert(
                [document(id) { $0.append("again", number) }],
                "m_filler")
        } else {
            try await fixture.command(
                Self.update(
                    "m_filler",
                    [
                        Self.statement(id) {
                            $0.append("$set", BSONDocument { $0.append("n", number) })
                        }
                    ]))
        }
    }

    private mutating func measure() async throws {
        let series = ["series", "z_series"][random.below(2)]
        let measurement = CollectionOptions.measurement(
            Int(number), station: "s\(random.below(3))")
        try await fixture.insert([measurement], series)
    }

    private mutating func changeViews() async throws {
        if hasView {
            try await fixture.dropCollection("view")
        } else {
            try await fixture.create("view", CollectionOptions.view(on: "y_docs", match: number))
        }
        hasView.toggle()
        let number = number
        try await fixture.command(
            BSONDocument {
                $0.append("collMod", "other_view")
                $0.append("viewOn", "b_docs")
                let stage = BSONDocument {
                    $0.append("$match", BSONDocument { $0.append("n", number) })
                }
                $0.append("pipeline", array: [stage])
            })
    }

    private mutating func changeIndexes() async throws {
        if hasIndex {
            try await fixture.command(
                BSONDocument {
                    $0.append("dropIndexes", "b_docs")
                    $0.append("index", "u")
                })
        } else {
            try await fixture.createIndex("u", on: "unique", of: "b_docs", unique: true)
        }
        hasIndex.toggle()
        let isHidden = hasIndex
        try await fixture.command(
            BSONDocument {
                $0.append("collMod", "y_docs")
                let index = BSONDocument {
                    $0.append("name", "u")
                    $0.append("hidden", isHidden)
                }
                $0.append("index", index)
            })
    }

    private mutating func changeOptions() async throws {
        let level = ["moderate", "strict"][random.below(2)]
        let number = number
        try await fixture.command(
            BSONDocument {
                $0.append("collMod", "a_left")
                $0.append(
                    "validator",
                    BSONDocument {
                        $0.append("n", BSONDocument { $0.append("$ne", number) })
                    })
                $0.append("validationLevel", level)
            })
    }

    private mutating func changeCollections() async throws {
        let name = "made \(number)"
        switch made.isEmpty ? 0 : random.below(4) {
        case 0:
            try await fixture.insert([Self.nested(1, number), Self.nested(2, number)], name)
            try await fixture.createIndex("u", on: "unique", of: name, unique: true)
            made.append(name)
        case 1 where renames:
            let old = made.remove(at: random.below(made.count))
            try await fixture.rename(old, to: name)
            try await fixture.insert([Self.nested(3, number)], old)
            made += [name, old]
        case 2 where renames && made.count > 1:
            let old = made.remove(at: random.below(made.count))
            try await fixture.rename(old, over: made[random.below(made.count)])
        default:
            try await fixture.dropCollection(made.remove(at: random.below(made.count)))
        }
    }

    private static func nested(_ id: Int32, _ number: Int32) -> BSONDocument {
        document(id) {
            $0.append("unique", id &* 1_000_003 &+ number)
            let deep = BSONDocument { $0.append("0", number) }
            $0.append("sub", BSONDocument { $0.append("deep", deep) })
            let numbers = [Int32(1), 2, 3].map { value in BSONDocument { $0.append("v", value) } }
            $0.append("list", array: numbers)
            $0.append("gone\(id % 4)", number)
        }
    }

    private static func statement(
        _ id: Int32, _ change: (inout BSONBuilder) -> Void
    ) -> BSONDocument {
        BSONDocument {
            $0.append("q", BSONDocument { $0.append("_id", id) })
            $0.append("u", BSONDocument { change(&$0) })
        }
    }

    private static func update(
        _ collection: String, _ statements: [BSONDocument]
    ) -> BSONDocument {
        BSONDocument {
            $0.append("update", collection)
            $0.append("updates", array: statements)
            $0.append("bypassDocumentValidation", true)
        }
    }
}

extension SnapshotFixture {
    func createUser(_ name: String) async throws {
        try await command(
            BSONDocument {
                $0.append("createUser", name)
                $0.append("pwd", "secret")
                $0.append("roles", array: [String]())
            }, on: "admin")
    }

    func rename(_ collection: String, over name: String) async throws {
        try await pool.withConnection { connection in
            try await connection.renameCollection(
                from: "\(database).\(collection)", to: "\(database).\(name)", dropTarget: true)
        }
    }
}
