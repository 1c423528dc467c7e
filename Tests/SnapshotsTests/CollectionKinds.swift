import BSONBytes
import MongoDriver
import SampleData

/// Makes one collection of every kind that servers have.
enum CollectionKinds {
    static func make(_ fixture: SnapshotFixture) async throws {
        try await fixture.insert(EveryTypeDocuments.all, "every_type")
        try await fixture.insert(EveryTypeDocuments.identifiers, "every_id")
        try await capped(fixture)
        try await clustered(fixture)
        try await timeseries(fixture)
        try await collated(fixture)
        try await validated(fixture)
        try await indexed(fixture)
        try await fixture.create("empty")
        try await fixture.create(
            "a_view",
            BSONDocument {
                $0.append("viewOn", "every_type")
                $0.append(
                    "pipeline",
                    array: [
                        BSONDocument {
                            $0.append("$match", BSONDocument { $0.append("a", Int32(1)) })
                        }
                    ])
            })
        for name in ["new\nline", "sla/sh", "😀", "dots.and.more", "per%24cent", "space d", "é"] {
            try await fixture.insert([numbered(1)], name)
        }
    }

    static func numbered(_ number: Int32, _ text: String = "x") -> BSONDocument {
        BSONDocument {
            $0.append("_id", number)
            $0.append("text", text)
        }
    }

    private static func capped(_ fixture: SnapshotFixture) async throws {
        try await fixture.create(
            "capped",
            BSONDocument {
                $0.append("capped", true)
                $0.append("size", Int64(8192))
                $0.append("max", Int64(20))
            })
        // Not in the order of _id, and more than it holds: natural order is the data.
        try await fixture.insert((0..<30).map { numbered(Int32($0 * 7 % 30)) }, "capped")
    }

    private static func clustered(_ fixture: SnapshotFixture) async throws {
        try await fixture.create(
            "clustered",
            BSONDocument {
                $0.append(
                    "clusteredIndex",
                    BSONDocument {
                        $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
                        $0.append("unique", true)
                        $0.append("name", "by_code")
                    })
            })
        try await fixture.insert((0..<50).map { numbered(Int32($0)) }, "clustered")
    }

    private static func timeseries(_ fixture: SnapshotFixture) async throws {
        try await fixture.create(
            "weather",
            BSONDocument {
                $0.append(
                    "timeseries",
                    BSONDocument {
                        $0.append("timeField", "at")
                        $0.append("metaField", "station")
                        $0.append("granularity", "hours")
                    })
                $0.append("expireAfterSeconds", Int64(1_000_000_000))
            })
        try await fixture.insert(
            (0..<100).map { number in
                BSONDocument {
                    $0.append("at", dateMilliseconds: 1_700_000_000_000 + Int64(number) * 60_000)
                    $0.append("station", "s\(number % 3)")
                    $0.append("celsius", Double(number) / 3)
                }
            }, "weather")
    }

    private static func collated(_ fixture: SnapshotFixture) async throws {
        try await fixture.create(
            "collated",
            BSONDocument {
                $0.append(
                    "collation",
                    BSONDocument {
                        $0.append("locale", "de")
                        $0.append("strength", Int32(2))
                    })
            })
        try await fixture.insert([numbered(1, "Straße"), numbered(2, "strasse")], "collated")
        try await index(
            fixture, "collated", "plain", [("text", Int32(1))],
            BSONDocument {
                $0.append("collation", BSONDocument { $0.append("locale", "simple") })
            })
        try await index(fixture, "collated", "inherited", [("other", Int32(-1))], BSONDocument())
    }

    private static func validated(_ fixture: SnapshotFixture) async throws {
        try await fixture.insert([numbered(1, "breaks the rule that comes later")], "validated")
        try await fixture.command(
            BSONDocument {
                $0.append("collMod", "validated")
                $0.append(
                    "validator",
                    BSONDocument {
                        $0.append("text", BSONDocument { $0.append("$type", "int") })
                    })
                $0.append("validationLevel", "moderate")
            })
    }

    private static func indexed(_ fixture: SnapshotFixture) async throws {
        try await fixture.insert((0..<20).map { numbered(Int32($0), "stone \($0)") }, "indexed")
        let name = "indexed"
        try await index(fixture, name, "z_a", [("z", Int32(1)), ("a", Int32(-1))], BSONDocument())
        try await index(fixture, name, "words", [("text", "text")], BSONDocument())
        try await index(fixture, name, "geo", [("place", "2dsphere")], BSONDocument())
        try await index(fixture, name, "flat", [("spot", "2d")], BSONDocument())
        try await index(fixture, name, "hash", [("text", "hashed")], BSONDocument())
        try await index(fixture, name, "id_hash", [("_id", "hashed")], BSONDocument())
        try await index(fixture, name, "wild", [("$**", Int32(1))], BSONDocument())
        try await index(
            fixture, name, "ttl", [("at", Int32(1))],
            BSONDocument { $0.append("expireAfterSeconds", Int32(1_000_000_000)) })
        try await index(
            fixture, name, "some", [("n", 1.0)],
            BSONDocument {
                $0.append(
                    "partialFilterExpression",
                    BSONDocument { $0.append("n", BSONDocument { $0.append("$gt", Int32(5)) }) })
            })
        try await index(
            fixture, name, "once", [("_id", Int32(1)), ("text", Int32(1))],
            BSONDocument {
                $0.append("unique", true)
                $0.append("sparse", true)
                $0.append("hidden", true)
            })
    }

    private static func index(
        _ fixture: SnapshotFixture, _ collection: String, _ name: String,
        _ key: [(String, any Sendable)], _ options: BSONDocument
    ) async throws {
        let specification = try BSONDocument { builder in
            builder.append(
                "key",
                BSONDocument { key_ in
                    for (field, direction) in key {
                        switch direction {
                        case let number as Int32: key_.append(field, number)
                        case let number as Double: key_.append(field, number)
                        case let kind as String: key_.append(field, kind)
                        default: preconditionFailure("a key is a number or a kind")
                        }
                    }
                })
            builder.append("name", name)
            for element in try options.elements() { builder.append(element) }
        }
        try await fixture.pool.withConnection { connection in
            try await connection.createIndexes(
                [specification], of: collection, in: fixture.database)
        }
    }
}
