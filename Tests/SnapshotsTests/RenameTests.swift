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
}
