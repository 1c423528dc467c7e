import BSONBytes
import MongoDriver

/// One collection of each kind that asks for other privileges, in a state that a backup has and in
/// another that it is to be brought back from.
enum PrivilegedKind: String, CaseIterable, Sendable {
    case plain, expiring, capped, clustered, collated, validated, script
    case timeSeries, view, newCollection, newTimeSeries, newView

    /// The namespace's collection.
    var name: String { self == .script ? "system.js" : "c" }

    private static func clusteredOptions(_ builder: inout BSONBuilder) {
        let index = BSONDocument {
            $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
            $0.append("unique", true)
        }
        builder.append("clusteredIndex", index)
        builder.append("expireAfterSeconds", Int64(1_000_000_000))
    }

    private static func seriesOptions(_ builder: inout BSONBuilder) {
        builder.append("timeseries", BSONDocument { $0.append("timeField", "at") })
        builder.append("expireAfterSeconds", Int64(1_000_000_000))
    }

    private var options: BSONDocument {
        BSONDocument {
            switch self {
            case .capped:
                $0.append("capped", true)
                $0.append("size", Int64(100_000))
            case .clustered: Self.clusteredOptions(&$0)
            case .timeSeries, .newTimeSeries: Self.seriesOptions(&$0)
            case .collated:
                $0.append("collation", BSONDocument { $0.append("locale", "de") })
            case .validated:
                let rule = BSONDocument {
                    $0.append("n", BSONDocument { $0.append("$gt", Int32(0)) })
                }
                $0.append("validator", rule)
            case .view, .newView:
                $0.append("viewOn", "base")
                $0.append("pipeline", array: [BSONDocument]())
            default: break
            }
        }
    }

    private func documents(_ numbers: ClosedRange<Int32>) -> [BSONDocument] {
        numbers.map { number in
            if self == .timeSeries || self == .newTimeSeries {
                return BSONDocument {
                    $0.append(
                        "at", dateMilliseconds: 1_700_000_000_000 + Int64(number) * 86_400_000)
                    $0.append("n", number)
                }
            }
            return document(number) { $0.append("n", number) }
        }
    }

    private var isView: Bool { self == .view || self == .newView }

    /// Makes what a backup is taken of.
    func make(_ fixture: SnapshotFixture) async throws {
        try await fixture.insert([document(1)], "base")
        if self != .script { try await fixture.create(name, options) }
        guard !isView else { return }
        try await fixture.insert(documents(1...3), name)
        guard self == .expiring || self == .plain || self == .timeSeries else { return }
        let index = BSONDocument {
            $0.append("key", BSONDocument { $0.append("at", Int32(1)) })
            $0.append("name", "by_at")
            if self == .expiring { $0.append("expireAfterSeconds", Int32(1_000_000_000)) }
        }
        try await fixture.pool.withConnection { connection in
            try await connection.createIndexes([index], of: name, in: fixture.database)
        }
    }

    /// Makes it something else, or takes it away.
    func change(_ fixture: SnapshotFixture) async throws {
        switch self {
        case .newCollection, .newTimeSeries, .newView:
            try await fixture.pool.withConnection { connection in
                try await connection.dropCollection(name, in: fixture.database)
            }
        case .view:
            try await fixture.command(
                BSONDocument {
                    $0.append("collMod", name)
                    $0.append("viewOn", "base")
                    let stage = BSONDocument { $0.append("$match", BSONDocument()) }
                    $0.append("pipeline", array: [stage])
                })
        case .timeSeries: try await fixture.insert(documents(10...12), name)
        default:
            try await fixture.command(
                BSONDocument {
                    $0.append("delete", name)
                    let later = BSONDocument { $0.append("$gt", Int32(9)) }
                    let statement = BSONDocument {
                        $0.append("q", BSONDocument { $0.append("_id", later) })
                        $0.append("limit", Int32(0))
                    }
                    $0.append("deletes", array: [statement])
                })
            try await fixture.insert(documents(10...12), name)
        }
    }
}
