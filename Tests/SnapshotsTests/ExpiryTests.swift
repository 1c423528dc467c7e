import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

extension InterruptedJobTests {
    /// Documents that have expired since the backup belong to the archive all the same. A server
    /// that looks for such documents every second must not take them out of a restore that is under
    /// way, which would then not find what it has loaded.
    @Suite struct ExpiryTests {
        private static let expired: Int64 = 1_000_000_000_000

        private func make(_ fixture: SnapshotFixture) async throws {
            let value = try BSONValue.made { $0.append("", dateMilliseconds: Self.expired) }
            try await fixture.create(
                "clustered",
                try BSONDocument { builder in
                    for element in try CollectionOptions.clustered.elements() {
                        builder.append(element)
                    }
                    builder.append("expireAfterSeconds", Int64(10))
                })
            try await fixture.insert([document(id: value)], "clustered")
            try await fixture.insert(
                (0..<10).map { number in
                    document(number) { $0.append("at", value) }
                }, "indexed")
            let index = BSONDocument {
                $0.append("key", BSONDocument { $0.append("at", Int32(1)) })
                $0.append("name", "ttl")
                $0.append("expireAfterSeconds", Int32(10))
            }
            try await fixture.pool.withConnection { connection in
                try await connection.createIndexes([index], of: "indexed", in: fixture.database)
            }
            try await fixture.create(
                "weather",
                try BSONDocument { builder in
                    for element in try CollectionOptions.timeseries().elements() {
                        builder.append(element)
                    }
                    builder.append("expireAfterSeconds", Int64(10))
                })
            try await fixture.insert(
                [
                    BSONDocument {
                        $0.append("at", value)
                        $0.append("station", "s")
                    }
                ], "weather")
        }

        private func setMonitor(_ isEnabled: Bool, _ fixture: SnapshotFixture) async throws {
            try await fixture.command(
                BSONDocument {
                    $0.append("setParameter", Int32(1))
                    $0.append("ttlMonitorEnabled", isEnabled)
                }, on: "admin")
        }

        @Test func expiredDocumentsDoNotMakeARestoreFail() async throws {
            var options = PrivateServer.Options()
            options.arguments = ["--setParameter", "ttlMonitorSleepSecs=1"]
            let server = try await PrivateServer(options)
            let fixture = try await SnapshotFixture(server)
            try await setMonitor(false, fixture)
            try await make(fixture)
            let before = try await fixture.state()
            try await fixture.backup()
            // Without anybody who looks for them, they are all there.
            try await fixture.drop()
            try await fixture.restore()
            #expect(try await fixture.state() == before)
            // With somebody, the restore succeeds, and they go afterwards.
            try await fixture.drop()
            try await setMonitor(true, fixture)
            let report = try await Gate { $0.phase == .comparing }.run { observer in
                try await fixture.restore(width: 1, observer: observer)
            } meanwhile: {
                try await Task.sleep(for: .seconds(3))
            }
            #expect(report.outcome.insertedCount == 12)
            // Over a live time series too, whose documents go on expiring until then.
            try await fixture.restore(included: ["*.weather"])
            let restored = try await fixture.state().collections["weather"]
            #expect(restored?.options == before.collections["weather"]?.options)
            try await server.stop()
        }
    }
}
