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

    @Test(arguments: ["local.orders", "shop.cairn.staging.00000000-1-00000000.1"])
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
