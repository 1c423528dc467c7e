import ArchiveFormat
import BSONBytes
import Snapshots
import Testing

/// Which namespaces come back, and under which names.
@Suite(.needsServer) struct SelectionTests {
    private static func make() async throws -> SnapshotFixture {
        let fixture = try await SnapshotFixture.shared()
        for (number, name) in ["a", "b", "b.c", "star*", "starry"].enumerated() {
            try await fixture.insert([document(Int32(number))], name)
        }
        try await fixture.create("v", CollectionOptions.view(on: "a", match: 1))
        try await fixture.create("weather", CollectionOptions.timeseries())
        try await fixture.insert([CollectionOptions.measurement(1, station: "s")], "weather")
        return fixture
    }

    @Test func aWholeDatabaseComesBackUnderAnotherName() async throws {
        let fixture = try await Self.make()
        let before = try await fixture.state()
        try await fixture.backup()
        let other = fixture.database + "_copy"
        for _ in 0..<2 {
            try await fixture.restore(renames: ["\(fixture.database).*=\(other).*"])
            #expect(try await fixture.state(other) == before)
            #expect(try await fixture.state() == before)
        }
        try await fixture.drop(other)
        try await fixture.drop()
    }

    @Test func collectionsComeBackUnderOtherNamesAndTheLastRenameCounts() async throws {
        let fixture = try await Self.make()
        let database = fixture.database
        try await fixture.backup()
        let report = try await fixture.restore(
            renames: [
                "\(database).b*=\(database).x*y", "\(database).b.c=\(database)_2.c",
                "\(database).weather=\(database).climate",
            ], included: ["\(database).b*", "\(database).weather"])
        #expect(
            report.entries.map(\.target.description).sorted() == [
                "\(database).climate", "\(database).xy", "\(database)_2.c",
            ])
        #expect(try await fixture.documents("xy") == [document(1)])
        #expect(try await fixture.documents("c", in: "\(database)_2") == [document(2)])
        #expect(try await fixture.documents("climate").count == 1)
        try await fixture.drop("\(database)_2")
        try await fixture.drop()
    }

    @Test(arguments: [
        (["D.*=D.same"], "would both be restored"), (["D.a=D.b"], "would both be restored"),
        (["D.a=D.system.users"], "a server does not allow that name"),
        (["D.a=D.do$lar"], "a server does not allow that name"),
        (["D.a=sla/sh.a"], "a server does not allow that name"),
        (["D.a=D." + String(repeating: "long", count: 70)], "a server does not allow that name"),
    ])
    func aRenameThatCannotBeIsRefusedBeforeAnythingHappens(
        _ renames: [String], _ words: String
    ) async throws {
        let fixture = try await Self.make()
        try await fixture.backup()
        try await fixture.insert([document(99)], "a")
        let before = try await fixture.state()
        let renames = renames.map {
            // A target without an asterisk needs a source that has one all the same.
            $0 == "D.*=D.same"
                ? "\(fixture.database).sta*=\(fixture.database).a*"
                : $0.replacing("D.", with: fixture.database + ".")
        }
        let extra =
            words.contains("both") && renames[0].contains("*")
            ? ["\(fixture.database).star\\*=\(fixture.database).arry"] : []
        let error = await #expect(throws: SnapshotError.self) {
            try await fixture.restore(renames: renames + extra)
        }
        #expect(error?.code == .namespaceConflict)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    @Test(arguments: [
        ("*.b*", "", ["b", "b.c"]), ("*.star\\*", "", ["star*"]),
        ("*.star*", "*.star\\*", ["starry"]), ("*", "*.s*", ["a", "b", "b.c", "v", "weather"]),
        ("*", "*.?", ["a", "b", "b.c", "star*", "starry", "v", "weather"]),
    ])
    func onlyWhatFitsThePatternsComesBack(
        _ included: String, _ excluded: String, _ names: [String]
    ) async throws {
        let fixture = try await Self.make()
        try await fixture.backup()
        let report = try await fixture.restore(
            included: [included], excluded: excluded.isEmpty ? [] : [excluded])
        #expect(report.entries.map(\.source.collection) == names)
        // The same choice when the backup is taken.
        let filter = try NamespaceFilter(
            database: fixture.database, included: [NamespacePattern(included)],
            excluded: excluded.isEmpty ? [] : [NamespacePattern(excluded)])
        let backup = try await fixture.backup(filter: filter)
        #expect(backup.manifest.namespaces.map(\.descriptor.namespace.collection) == names)
        try await fixture.drop()
    }

    @Test func aSelectionThatFitsNothingIsAnError() async throws {
        let fixture = try await Self.make()
        try await fixture.backup()
        let restore = await #expect(throws: SnapshotError.self) {
            try await fixture.restore(included: ["nothing.*"])
        }
        #expect(restore?.code == .notFound)
        let filter = try NamespaceFilter(included: [NamespacePattern("nothing.*")])
        let backup = await #expect(throws: SnapshotError.self) {
            try await fixture.backup(filter: filter)
        }
        #expect(backup?.code == .notFound)
        #expect(try fixture.folder.contents.count == 1)
        let missing = await #expect(throws: SnapshotError.self) {
            try await fixture.restore(.snapshot("2001", in: fixture.catalog))
        }
        #expect(missing?.code == .notFound)
        try await fixture.drop()
    }
}
