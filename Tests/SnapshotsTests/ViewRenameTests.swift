import ArchiveFormat
import BSONBytes
import ExtendedJSON
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// Views whose collections come back under other names.
@Suite(.needsServer) struct ViewRenameTests {
    private static func parsed(_ json: String) throws -> BSONDocument {
        try ExtendedJSONParser.document(utf8: Array(json.utf8))
    }

    private static let views = [
        (name: "plain", options: #"{"viewOn":"a","pipeline":[{"$match":{"viewOn":"a"}}]}"#),
        (
            name: "joined",
            options: #"""
            {"viewOn":"other","pipeline":[
              {"$lookup":{"from":"a","localField":"_id","foreignField":"_id","as":"a"}},
              {"$lookup":{"from":"other","as":"x","pipeline":[{"$unionWith":"a"}]}},
              {"$graphLookup":{"from":"a","startWith":"$_id","connectFromField":"n",
                               "connectToField":"_id","as":"g"}},
              {"$unionWith":{"coll":"a","pipeline":[{"$match":{"from":"a"}}]}},
              {"$unionWith":"a"},
              {"$facet":{"a":[{"$lookup":{"from":"a","as":"a","pipeline":[]}}],"b":[]}},
              {"$addFields":{"kept":{"$literal":{"$lookup":{"from":"a"}}}}}]}
            """#
        ),
        (name: "stacked", options: #"{"viewOn":"plain","pipeline":[]}"#),
        (name: "aside", options: #"{"viewOn":"other","pipeline":[]}"#),
        (name: "on_series", options: #"{"viewOn":"series","pipeline":[]}"#),
    ]

    private static func prepare(_ fixture: SnapshotFixture) async throws {
        try await fixture.insert([document(1) { $0.append("viewOn", "a") }], "a")
        try await fixture.insert([document(1)], "other")
        try await fixture.create("series", CollectionOptions.timeseries())
        for view in views { try await fixture.create(view.name, try parsed(view.options)) }
        try await fixture.backup()
        try await fixture.drop()
    }

    private static func preview(
        _ fixture: SnapshotFixture, _ renames: [String]
    ) async throws -> (report: LiveComparison.Report, notices: [String]) {
        var restore = Restore.Options(mode: .replace, width: 2)
        restore.renames = try renames.map { try NamespaceRename($0) }
        let observer = RecordingObserver()
        let report = try await LiveComparison(
            .snapshot("latest", in: fixture.catalog), with: fixture.pool, for: .preview,
            restore: restore, options: Comparison.Options(width: 2), observer: observer
        ).run()
        return (report, observer.notices)
    }

    @Test func viewsReadTheirCollectionsUnderTheirNewNames() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await Self.prepare(fixture)
        let name = fixture.database
        let renames = [
            "\(name).a=\(name).b", "\(name).plain=\(name).simple", "\(name).series=\(name).times",
        ]
        let foretold = try await Self.preview(fixture, renames).notices
        let observer = RecordingObserver()
        try await fixture.restore(renames: renames, observer: observer)
        let told = observer.notices.filter { $0.hasPrefix("view ") }
        #expect(told.count == 4 && told == foretold.filter { $0.hasPrefix("view ") }, "\(told)")
        #expect(told.contains { $0.contains("\(name).joined reads b instead of a") }, "\(told)")
        let state = try await fixture.state().collections
        for view in Self.views {
            let found = try #require(state[view.name == "plain" ? "simple" : view.name])
            let text = try ExtendedJSONWriter().text(of: found.options)
            #expect(!text.contains(#""viewOn":"plain""#) && !text.contains(#""viewOn":"series""#))
            guard view.name == "joined" else { continue }
            // Only the literal is as it was.
            #expect(text.split(separator: #""from":"a""#).count == 3, "\(text)")
            #expect(text.split(separator: #""from":"b""#).count == 4, "\(text)")
            #expect(text.contains(#""$unionWith":"b""#) && text.contains(#""coll":"b""#))
        }
        #expect(try await fixture.documents("simple").count == 1)
        #expect(try await fixture.documents("stacked").count == 1)
        // What a preview finds afterwards is that nothing differs.
        let (report, _) = try await Self.preview(fixture, renames)
        #expect(report.isEqual, "\(report.entries.filter { !$0.difference.isEqual })")
        try await fixture.restore(renames: renames)
        try await fixture.drop()
    }

    @Test func aViewThatLosesItsCollectionIsTold() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await Self.prepare(fixture)
        let (name, other) = (fixture.database, fixture.database + "_other")
        for isAll in [false, true] {
            let renames =
                isAll ? ["\(name).*=\(other).*"] : ["\(name).a=\(other).a"]
            let foretold = try await Self.preview(fixture, renames).notices
            let observer = RecordingObserver()
            try await fixture.restore(renames: renames, observer: observer)
            let told = observer.notices.filter { $0.hasPrefix("view ") }
            #expect(told == foretold.filter { $0.hasPrefix("view ") })
            #expect(told.count == (isAll ? 0 : 2), "\(told)")
            #expect(isAll || told[0].contains("another database"), "\(told)")
            try await fixture.drop(other)
            try await fixture.drop()
        }
        let observer = RecordingObserver()
        try await fixture.restore(included: ["\(name).plain"], observer: observer)
        let told = observer.notices.filter { $0.hasPrefix("view ") }
        #expect(told.count == 1 && told[0].contains("neither restored"), "\(told)")
        try await fixture.drop()
    }
}
