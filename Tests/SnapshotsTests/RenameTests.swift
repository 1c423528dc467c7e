import ArchiveFormat
import BSONBytes
import Snapshots
import Testing

@Suite(.needsServer, .serialized) struct RenameTests {
    @Test func renamedCollectionsStandBesideTheLiveOnes() async throws {
        let fixture = try await SnapshotFixture.shared()
        let document = BSONDocument { $0.append("_id", Int32(1)) }
        try await fixture.insert([document], "orders")
        try await fixture.backup()
        try await fixture.restore(
            renames: ["\(fixture.database).*=\(fixture.database).old_*"])
        #expect(try await fixture.names() == ["old_orders", "orders"])
        try await fixture.drop()
    }

    @Test func aRenameThatFitsNothingIsRefusedBeforeAnythingIsWritten() async throws {
        let fixture = try await SnapshotFixture.shared()
        let document = BSONDocument { $0.append("_id", Int32(1)) }
        try await fixture.insert([document], "orders")
        try await fixture.backup()
        try await fixture.drop()
        let error = try await #require(throws: SnapshotError.self) {
            try await fixture.restore(renames: ["\(fixture.database)x.*=copy.*"])
        }
        #expect(error.code == .notFound)
        #expect(error.message.contains("fits no namespace of the archive"))
        #expect(try await fixture.names() == [])
    }

    /// A dump may hold what no server makes any more: told before anything is written, by the
    /// preview too.
    @Test func aNameThatNoServerTakesIsRefused() async throws {
        let fixture = try await SnapshotFixture.shared()
        let names = ["a", "b.system.c"].map { "\(fixture.database).\($0)" }
        let bytes = try await MadeArchive.cairn(
            names.map { MadeArchive.Part($0, [[document(1)]]) })
        let path = try fixture.folder.file("archive", bytes)
        for mode in [Restore.Mode.replace, .merge] {
            let error = try await #require(throws: SnapshotError.self) {
                try await fixture.restore(.file(path), mode)
            }
            #expect(error.code == .namespaceConflict && error.message.contains(names[1]))
        }
        #expect(try await fixture.names() == [])
        let rename = "\(names[1])=\(names[0])2"
        try await fixture.restore(.file(path), renames: [rename])
        #expect(try await fixture.names() == ["a", "a2"])
        try await fixture.drop()
    }

    @Test(arguments: [
        "local.orders", "shop.a.system.b", "shop.cairn.staging.00000000-1-00000000.1",
    ])
    func aRenameIntoWhatIsTheServersOrOursIsRefused(_ target: String) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([BSONDocument { $0.append("_id", Int32(1)) }], "orders")
        try await fixture.backup()
        let error = try await #require(throws: SnapshotError.self) {
            try await fixture.restore(renames: ["\(fixture.database).orders=\(target)"])
        }
        #expect(error.code == .namespaceConflict)
        try await fixture.drop()
    }
}
