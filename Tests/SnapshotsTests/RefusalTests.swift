import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// What a restore refuses a preview has foretold, in the same words; and what it does not foretell
/// is done.
@Suite(.needsServer, .serialized) struct RefusalTests {
    /// A case: what is in the snapshot, and what is live when it is restored.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var renames: @Sendable (String) -> [String] = { _ in [] }
        var excluded: @Sendable (String) -> [String] = { _ in [] }
        let archived: @Sendable (SnapshotFixture) async throws -> Void
        let live: @Sendable (SnapshotFixture) async throws -> Void
        /// The ways that are to be refused.
        let refused: Set<RestoreWay>

        var testDescription: String { name }
    }

    private static let all = Set(RestoreWay.allCases)
    private static let replacing: Set<RestoreWay> = [.replace, .keepOld, .inPlace]

    private static func index(_ name: String, on field: String) -> BSONDocument {
        BSONDocument {
            $0.append("key", BSONDocument { $0.append(field, Int32(1)) })
            $0.append("name", name)
        }
    }

    static let cases: [Case] = [
        Case(
            name: "nothing is in the way",
            archived: { try await $0.insert([document(1)], "c") }, live: { _ in }, refused: []),
        Case(
            name: "a view in place of a collection",
            archived: { try await $0.insert([document(1)], "c") },
            live: { try await $0.create("c", CollectionOptions.view(on: "d", match: 1)) },
            refused: all),
        Case(
            name: "a collection in place of a view",
            archived: { try await $0.create("c", CollectionOptions.view(on: "d", match: 1)) },
            live: { try await $0.insert([document(1)], "c") }, refused: all),
        Case(
            name: "a time series in place of a collection",
            archived: { try await $0.insert([document(1)], "c") },
            live: { try await $0.create("c", CollectionOptions.timeseries()) }, refused: all),
        Case(
            name: "another granularity",
            archived: { try await $0.create("c", CollectionOptions.timeseries()) },
            live: {
                try await $0.create("c", CollectionOptions.timeseries(granularity: "minutes"))
            },
            refused: all),
        Case(
            name: "another expiry of a time series",
            archived: { try await $0.create("c", CollectionOptions.timeseries()) },
            live: {
                try await $0.create("c", CollectionOptions.timeseries())
                try await $0.expire("c", after: 1_100_000_000)
            }, refused: []),
        Case(
            name: "another collation of a time series",
            archived: { try await $0.create("c", CollectionOptions.timeseries()) },
            live: { fixture in
                let options = try BSONDocument { builder in
                    for part in [CollectionOptions.timeseries(), CollectionOptions.caseInsensitive]
                    {
                        for element in try part.elements() { builder.append(element) }
                    }
                }
                try await fixture.create("c", options)
            }, refused: replacing),
        Case(
            name: "buckets without their time series",
            archived: { try await $0.create("c", CollectionOptions.timeseries()) },
            live: { try await $0.create("system.buckets.c") }, refused: all),
        Case(
            name: "a database whose name differs in the case of letters",
            renames: { ["\($0).*=\($0.uppercased()).*"] },
            archived: { try await $0.insert([document(1)], "c") },
            live: { try await $0.insert([document(1)], "c") }, refused: all),
        Case(
            name: "a name that is too long to be kept",
            archived: { try await $0.insert([document(1)], String(repeating: "x", count: 200)) },
            live: { _ in }, refused: [.keepOld]),
        Case(
            name: "a long name of a time series, which is not kept",
            archived: {
                try await $0.create(
                    String(repeating: "x", count: 200), CollectionOptions.timeseries())
            }, live: { _ in }, refused: []),
        Case(
            name: "a view that would be made of itself",
            excluded: { ["\($0).w"] },
            archived: { fixture in
                try await fixture.create("w", CollectionOptions.view(on: "c", match: 1))
                try await fixture.create("v", CollectionOptions.view(on: "w", match: 1))
            },
            live: { fixture in
                try await fixture.create("v", CollectionOptions.view(on: "c", match: 1))
                try await fixture.create("w", CollectionOptions.view(on: "v", match: 1))
            }, refused: all),
        Case(
            name: "system.js with another collation",
            archived: { try await $0.create("system.js") },
            live: { try await $0.create("system.js", CollectionOptions.caseInsensitive) },
            refused: replacing),
    ]

    @Test(arguments: cases) func whatIsRefusedWasForetold(_ tried: Case) async throws {
        for way in RestoreWay.allCases {
            let fixture = try await SnapshotFixture.shared()
            try await tried.archived(fixture)
            try await fixture.backup()
            try await fixture.drop()
            try await tried.live(fixture)
            try await Self.check(
                way, fixture, isRefused: tried.refused.contains(way),
                renames: tried.renames(fixture.database),
                excluded: tried.excluded(fixture.database), "\(tried.name), \(way)")
            try await fixture.drop()
            let renamed = fixture.database.uppercased()
            if renamed != fixture.database { try await fixture.drop(renamed) }
        }
    }

    /// Runs a preview and the restore, and compares what both say.
    static func check(
        _ way: RestoreWay, _ fixture: SnapshotFixture, at location: ArchiveLocation? = nil,
        isRefused: Bool, renames: [String] = [], excluded: [String] = [], _ place: String
    ) async throws {
        let archive = location ?? .snapshot("latest", in: fixture.catalog)
        var options = Restore.Options(mode: .replace, width: 2)
        options.renames = try renames.map { try NamespaceRename($0) }
        options.filter.excluded = try excluded.map { try NamespacePattern($0) }
        let before = try await fixture.state()
        let report = try await LiveComparison(
            archive, with: fixture.pool, for: .preview, restore: options,
            options: Comparison.Options(width: 2), observer: RecordingObserver()
        ).run()
        let foretold = report.refusals.filter { $0.ways.contains(way) }.map(\.refusal.message)
        #expect(foretold.isEmpty == !isRefused, "\(place): \(foretold)")
        let job = JobID(kind: "restore", fixture.environment)
        do {
            try await fixture.restore(
                archive, way == .merge ? .merge : .replace, renames: renames, excluded: excluded
            ) {
                $0.isInPlace = way == .inPlace
                if way == .keepOld { $0.keepOld = Restore.KeepOld(job: job, seconds: 600) }
            }
            #expect(!isRefused, "\(place): it was restored")
        } catch let error as SnapshotError {
            #expect(isRefused, "\(place): \(error)")
            #expect(foretold.contains { error.message.hasPrefix($0) }, "\(place): \(error)")
            #expect(try await fixture.state() == before, "\(place): something was written")
        }
    }

    /// Definitions that this server can't have, so that no snapshot of it has them.
    @Test(arguments: ["validator", "filter", "pipeline", "collation", "kind"])
    func whatTheServerDoesNotUnderstandIsForetold(_ what: String) async throws {
        let fixture = try await SnapshotFixture.shared()
        let unknown = BSONDocument { $0.append("$unknown", Int32(1)) }
        var part = MadeArchive.Part("\(fixture.database).c", [[document(1)]])
        var index = Self.index("i", on: "n")
        switch what {
        case "validator":
            part.descriptor.options = BSONDocument { $0.append("validator", unknown) }
        case "pipeline":
            part = MadeArchive.Part("\(fixture.database).c", [])
            part.descriptor.type = .view
            part.descriptor.options = BSONDocument {
                $0.append("viewOn", "d")
                $0.append("pipeline", array: [unknown])
            }
        case "collation":
            let collation = BSONDocument {
                $0.append("locale", "en")
                $0.append("version", "1.0")
            }
            part.descriptor.options = BSONDocument { $0.append("collation", collation) }
        case "kind":
            index = BSONDocument {
                $0.append(
                    "key",
                    BSONDocument {
                        $0.append("a", Int32(1))
                        $0.append("$**", Int32(1))
                    })
                $0.append("name", "i")
            }
            part.descriptor.indexes = [index]
        default:
            part.descriptor.indexes = [
                try BSONDocument { builder in
                    for element in try index.elements() { builder.append(element) }
                    builder.append("partialFilterExpression", unknown)
                }
            ]
        }
        let path = try fixture.folder.file("made", try await MadeArchive.cairn([part]))
        for way in RestoreWay.allCases {
            try await Self.check(way, fixture, at: .file(path), isRefused: true, "\(what), \(way)")
        }
    }

    /// A server that keeps to an older version than its own does not have all that a newer one has.
    @Test func whatAnOlderFeatureVersionLacksIsForetold() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server, database: "d")
        func setVersion(_ version: String) async throws {
            let command = BSONDocument { $0.append("setFeatureCompatibilityVersion", version) }
            _ = try await fixture.pool.withConnection { connection in
                try await connection.run(command, on: "admin", as: .write)
            }
        }
        let images = BSONDocument {
            $0.append(
                "changeStreamPreAndPostImages", BSONDocument { $0.append("enabled", true) })
        }
        let kinds: [(options: BSONDocument, index: BSONDocument?)] = [
            (CollectionOptions.plain, nil), (CollectionOptions.clustered, nil), (images, nil),
            (CollectionOptions.timeseries(), nil),
            (CollectionOptions.timeseries(), Self.index("i", on: "celsius")),
        ]
        for (position, kind) in kinds.enumerated() {
            try await setVersion("6.0")
            try await fixture.create("c", kind.options)
            if let index = kind.index {
                try await fixture.pool.withConnection { connection in
                    try await connection.createIndexes([index], of: "c", in: "d")
                }
            }
            try await fixture.backup()
            try await fixture.drop()
            try await setVersion("5.0")
            for way in RestoreWay.allCases {
                try await Self.check(
                    way, fixture, isRefused: ![0, 3].contains(position), "\(position), \(way)")
                try await fixture.drop()
            }
        }
        try await server.stop()
    }

    @Test func aSecondaryIsForetold() async throws {
        var options = PrivateReplicaSet.Options()
        // So that a majority is both of them.
        options.memberCount = 2
        let set = try await PrivateReplicaSet(options)
        let primary = try await set.waitUntilReady()
        let fixture = try await SnapshotFixture(set.uri, database: "d")
        try await fixture.insert([document(1)], "c")
        try await fixture.backup()
        let secondary = try await SnapshotFixture(set.uri(of: 1 - primary), database: "d")
        for way in RestoreWay.allCases {
            try await Self.check(
                way, secondary, at: .snapshot("latest", in: fixture.catalog), isRefused: true,
                "\(way)")
        }
        for member in 0..<2 { try await set.stop(member) }
    }

    /// What a unique index refuses of a merge is told to the document.
    @Test func documentsThatAUniqueIndexRefusesAreForetold() async throws {
        let fixture = try await SnapshotFixture.shared()
        func numbered(_ id: Int32, _ number: Int32) -> BSONDocument {
            document(id) {
                $0.append("n", number)
                $0.append("tags", array: ["a\(id)", "b\(id)"])
            }
        }
        try await fixture.insert((0..<120).map { numbered($0, $0) }, "c")
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.createIndex("once", on: "n", of: "c", unique: true)
        try await fixture.createIndex("tags", on: "tags", of: "c", unique: true)
        try await fixture.insert(
            [numbered(0, 0), numbered(200, 7), numbered(201, 77), numbered(1, 1000)], "c")
        try await fixture.insert(
            [
                document(202) {
                    $0.append("n", Int32(500)); $0.append("tags", array: ["b9"])
                }
            ], "c")
        let report = try await ReplacedDefinitionTests.compare(fixture, for: .preview)
        let conflicts = try #require(report.entries.first?.difference.uniqueConflicts)
        #expect(conflicts.map(\.index) == ["once", "tags"])
        #expect(conflicts.first?.ids.compactMap(\.int32) == [7, 77])
        #expect(conflicts.last?.ids.compactMap(\.int32) == [9])
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(outcome.failedCount == conflicts.reduce(0) { $0 + $1.documentCount })
        try await fixture.drop()
    }
}
