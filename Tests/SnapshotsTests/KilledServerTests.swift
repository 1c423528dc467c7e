import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

extension InterruptedJobTests {
    /// A server that goes away is an error, and costs no data.
    @Suite struct KilledServerTests {
        private func expectNetworkError(
            _ job: () async throws -> Void
        ) async {
            let error = await #expect(throws: MongoError.self) { try await job() }
            #expect(error?.isNetworkError == true, "\(String(describing: error))")
            #expect(error?.description.contains("127.0.0.1") == true)
        }

        @Test func aKilledServerCostsNeitherSnapshotsNorDocuments() async throws {
            let server = try await PrivateServer()
            // Not the five seconds that a server is waited for otherwise.
            let uri = try MongoURI(
                "mongodb://127.0.0.1:\(server.port)/?replicaSet=rs0&serverSelectionTimeoutMS=1000")
            let fixture = try await SnapshotFixture(server, uri: uri)
            let fill = [UInt8](repeating: 1, count: 250_000)
            for name in ["a", "b", "c", "d", "e"] {
                try await fixture.insert(
                    (0..<8).map {
                        document($0) { $0.append("fill", binary: fill, subtype: 0) }
                    }, name)
            }
            await expectNetworkError {
                try await Gate { $0.documentCount > 10 }.run { observer in
                    _ = try await fixture.backup(observer: observer)
                } meanwhile: {
                    try await server.kill()
                }
            }
            #expect(try await fixture.catalog.list().isEmpty)
            // What was read stays for a resumption, with its note, until another backup begins.
            #expect(try fixture.folder.contents.count == 2)
            try await server.restart()
            try await fixture.backup()
            #expect(try fixture.folder.contents.count == 1)
            try await fixture.insert([document(100)], "a")
            let before = try await fixture.state()
            await expectNetworkError {
                try await Gate { $0.phase == .loading && $0.documentCount > 10 }.run { observer in
                    _ = try await fixture.restore(observer: observer)
                } meanwhile: {
                    try await server.kill()
                }
            }
            try await server.restart()
            var after = try await fixture.state()
            let staging = after.collections.keys.filter { $0.hasPrefix("cairn.staging.") }
            #expect(!staging.isEmpty)
            for name in staging { after.collections[name] = nil }
            #expect(after == before)
            // The next one cleans up and succeeds, though this process, which made them, lives.
            let observer = RecordingObserver()
            try await fixture.restore(observer: observer)
            #expect(observer.notices.count == staging.count)
            #expect(try await fixture.names() == ["a", "b", "c", "d", "e"])
            #expect(try await fixture.documents("a").count == 8)
            try await server.stop()
        }
    }
}
