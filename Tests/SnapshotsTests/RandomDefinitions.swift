import BSONBytes
import MongoDriver
import SampleData

/// Collections, time series and views of random kinds, with random options and indexes and a few
/// documents that fit all of them.
enum RandomDefinitions {
    private static let names = ["a", "b", "c", "t", "u", "v", "w", "system.js"]

    /// Makes all of them in an empty database.
    static func make(_ fixture: SnapshotFixture, _ random: inout SplitMix64) async throws {
        for name in names where random.below(5) > 0 {
            switch name {
            case "t", "u": try await makeTimeSeries(name, fixture, &random)
            case "v", "w": try await makeView(name, fixture, &random)
            case "system.js": try await makePlain(name, BSONDocument(), fixture, &random)
            default:
                // Kinds that can't replace each other are refused.
                if random.below(20) == 0 {
                    try await makeView(name, fixture, &random)
                } else {
                    try await makePlain(name, options(&random), fixture, &random)
                }
            }
        }
    }

    /// Changes indexes, options and documents of what is there.
    static func alter(_ fixture: SnapshotFixture, _ random: inout SplitMix64) async throws {
        let infos = try await fixture.pool.withConnection {
            try await $0.collections(in: fixture.database)
        }
        for info in infos.sorted(by: { $0.name < $1.name })
        where info.type != "view" && !info.name.hasPrefix("system.buckets.")
            && info.name != "system.views"
        {
            let present = try await fixture.pool.withConnection { connection in
                try await connection.indexes(of: info.name, in: fixture.database)
            }
            // That of a clustered collection can't be dropped.
            for index in try present.filter({ try $0.first("clustered") == nil }) {
                let index = try index.require("name", \.string)
                guard index != "_id_", random.below(2) == 0 else { continue }
                try await fixture.pool.withConnection { connection in
                    try await connection.dropIndex(index, of: info.name, in: fixture.database)
                }
            }
            try await makeIndexes(
                info.name, isTimeSeries: info.type == "timeseries", fixture, &random)
            if info.type == "timeseries", random.below(2) == 0 {
                try await fixture.expire(info.name, after: Int64(1_100_000_000 + random.below(9)))
            }
            if info.type == "collection", random.below(2) == 0 {
                try await insert(info.name, fixture, from: 100, &random)
            }
        }
    }

    /// All that a restore could change, in an order that does not depend on it.
    static func state(_ fixture: SnapshotFixture) async throws -> SnapshotFixture.State {
        var state = try await fixture.state()
        for name in state.collections.keys {
            state.collections[name]?.indexes.sort {
                $0.bytes.lexicographicallyPrecedes($1.bytes)
            }
        }
        return state
    }

    // MARK: Kinds

    private static func options(_ random: inout SplitMix64) -> BSONDocument {
        let kind = random.below(4)
        let hasValidator = random.below(2) == 0
        let level = ["off", "strict", "moderate"][random.below(3)]
        let action = ["warn", "error"][random.below(2)]
        let size = Int64(4096 * (1 + random.below(3)))
        let hasCollation = random.below(3) == 0
        let strength = Int32(1 + random.below(3))
        let hasImages = random.below(4) == 0
        let expires = random.below(2) == 0
        return BSONDocument { builder in
            if kind == 1 {
                builder.append("capped", true)
                builder.append("size", size)
                if expires { builder.append("max", Int64(1000)) }
            } else if kind == 2 {
                builder.append(
                    "clusteredIndex",
                    BSONDocument {
                        $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
                        $0.append("unique", true)
                        $0.append("name", expires ? "by_id" : "other")
                    })
                if expires { builder.append("expireAfterSeconds", Int64(1_000_000_000)) }
            }
            if hasValidator {
                let rule = BSONDocument { $0.append("$exists", true) }
                builder.append("validator", BSONDocument { $0.append("n", rule) })
                builder.append("validationLevel", level)
                builder.append("validationAction", action)
            }
            if hasCollation {
                builder.append(
                    "collation",
                    BSONDocument {
                        $0.append("locale", "en")
                        $0.append("strength", strength)
                    })
            }
            if hasImages, kind != 1 {
                builder.append(
                    "changeStreamPreAndPostImages", BSONDocument { $0.append("enabled", true) })
            }
        }
    }

    private static func makePlain(
        _ name: String, _ options: BSONDocument, _ fixture: SnapshotFixture,
        _ random: inout SplitMix64
    ) async throws {
        do {
            try await fixture.create(name, options)
        } catch let error as MongoError where error.code == .command {
            // Of a kind that came with a later version of the server.
            return
        }
        try await insert(name, fixture, from: 0, &random)
        try await makeIndexes(name, isTimeSeries: false, fixture, &random)
    }

    private static func insert(
        _ name: String, _ fixture: SnapshotFixture, from start: Int, _ random: inout SplitMix64
    ) async throws {
        let documents = (start..<start + random.below(20)).map { number in
            document(Int32(number)) {
                $0.append("n", Int32(number))
                $0.append("text", "stone \(number)")
                $0.append("at", dateMilliseconds: 4_000_000_000_000)
            }
        }
        if !documents.isEmpty { try await fixture.insert(documents, name) }
    }

    private static func makeTimeSeries(
        _ name: String, _ fixture: SnapshotFixture, _ random: inout SplitMix64
    ) async throws {
        let granularity = random.below(6) == 0 ? "minutes" : "hours"
        let hasCollation = random.below(8) == 0
        let expires = random.below(2) == 0
        let plain = CollectionOptions.timeseries(granularity: granularity)
        try await fixture.create(
            name,
            try BSONDocument { builder in
                for element in try plain.elements() { builder.append(element) }
                if hasCollation {
                    builder.append("collation", BSONDocument { $0.append("locale", "de") })
                }
                if expires { builder.append("expireAfterSeconds", Int64(1_000_000_000)) }
            })
        let documents = (0..<random.below(40)).map {
            CollectionOptions.measurement($0, station: "s\($0 % 3)")
        }
        if !documents.isEmpty { try await fixture.insert(documents, name) }
        try await makeIndexes(name, isTimeSeries: true, fixture, &random)
    }

    private static func makeView(
        _ name: String, _ fixture: SnapshotFixture, _ random: inout SplitMix64
    ) async throws {
        let source = name == "w" && random.below(2) == 0 ? "v" : "a"
        guard name != source else { return }
        let view = CollectionOptions.view(on: source, match: Int32(random.below(3)))
        let hasCollation = source == "a" && random.below(4) == 0
        do {
            try await fixture.create(
                name,
                try BSONDocument { builder in
                    for element in try view.elements() { builder.append(element) }
                    if hasCollation {
                        builder.append("collation", BSONDocument { $0.append("locale", "fr") })
                    }
                })
        } catch let error as MongoError where error.code == .command {
            // Its collation is not that of the view that it is made of.
            return
        }
    }

    // MARK: Indexes

    /// Under few names and keys, so that those in the snapshot and live ones often share either.
    private static func makeIndexes(
        _ name: String, isTimeSeries: Bool, _ fixture: SnapshotFixture,
        _ random: inout SplitMix64
    ) async throws {
        for _ in 0..<random.below(6) {
            let index = isTimeSeries ? ofTimeSeries(&random) : plain(&random)
            do {
                try await fixture.pool.withConnection { connection in
                    try await connection.createIndexes([index], of: name, in: fixture.database)
                }
            } catch let error as MongoError where !error.isNetworkError {
                // It is in conflict with one that is there.
                continue
            }
        }
    }

    private static func plain(_ random: inout SplitMix64) -> BSONDocument {
        let name = "i\(random.below(4))"
        let field = ["n", "text"][random.below(2)]
        let kind = random.below(11)
        let flag = random.below(2) == 0
        let number = Int32(1 + random.below(3))
        return BSONDocument { builder in
            let key = BSONDocument { key in
                switch kind {
                case 0: key.append(field, "text")
                case 1: key.append("place", "2dsphere")
                case 2: key.append("$**", Int32(1))
                case 3: key.append(field, "hashed")
                case 4: key.append("at", Int32(1))
                case 5:
                    key.append(field, flag ? Int32(1) : Int32(-1))
                    key.append("z", Int32(1))
                default: key.append(field, flag ? Int32(1) : Int32(-1))
                }
            }
            builder.append("key", key)
            builder.append("name", name)
            switch kind {
            case 0:
                builder.append("weights", BSONDocument { $0.append(field, number) })
                builder.append("default_language", flag ? "english" : "german")
            case 1 where flag: builder.append("2dsphereIndexVersion", Int32(2))
            case 2 where flag:
                builder.append("wildcardProjection", BSONDocument { $0.append(field, Int32(1)) })
            case 4: builder.append("expireAfterSeconds", 1_000_000_000 + number)
            case 6: builder.append("unique", true)
            case 7: builder.append("sparse", true)
            case 8:
                let rule = BSONDocument { $0.append("$gt", number) }
                builder.append("partialFilterExpression", BSONDocument { $0.append("n", rule) })
            case 9:
                builder.append(
                    "collation", BSONDocument { $0.append("locale", flag ? "fr" : "simple") })
            case 10: builder.append("hidden", true)
            default: break
            }
        }
    }

    private static func ofTimeSeries(_ random: inout SplitMix64) -> BSONDocument {
        let name = "i\(random.below(3))"
        let field = ["station", "celsius", "station.a"][random.below(3)]
        let isHidden = random.below(4) == 0
        let isPartial = random.below(4) == 0
        return BSONDocument { builder in
            builder.append("key", BSONDocument { $0.append(field, Int32(1)) })
            builder.append("name", name)
            if isHidden { builder.append("hidden", true) }
            if isPartial {
                let rule = BSONDocument { $0.append("$gt", "s") }
                builder.append(
                    "partialFilterExpression", BSONDocument { $0.append("station", rule) })
            }
        }
    }
}
