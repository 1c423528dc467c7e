import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Synchronization
import Testing

extension InterruptedJobTests {
    /// A replica set of three that loses its primary while a job works: it is killed, it hangs, or
    /// it comes back without what it had acknowledged.
    @Suite(.timeLimit(.minutes(10))) struct ReplicaSetTests {
        /// How a primary gets lost.
        enum Loss: CaseIterable {
            case killed, frozen

            func strike(_ member: Int, of set: PrivateReplicaSet) async throws {
                switch self {
                case .killed: try await set.kill(member)
                case .frozen: try await set.freeze(member)
                }
            }
        }

        private static let names = ["a", "b", "c", "d", "e"]

        private func makeFixture(_ set: PrivateReplicaSet) async throws -> SnapshotFixture {
            let fixture = try await SnapshotFixture(set.uri, database: "shop")
            try await fill(fixture)
            return fixture
        }

        /// More than a job has read or written when it has got through the first few.
        private func fill(_ fixture: SnapshotFixture) async throws {
            let fill = [UInt8](repeating: 1, count: 250_000)
            for name in Self.names {
                try await fixture.insert(
                    (0..<8).map {
                        document($0) { $0.append("fill", binary: fill, subtype: 0) }
                    }, name)
            }
        }

        @Test(arguments: Loss.allCases)
        func aBackupResumesAtTheNewPrimary(loss: Loss) async throws {
            let set = try await PrivateReplicaSet()
            let fixture = try await makeFixture(set)
            let before = try await fixture.state()
            let primary = try await set.primary()
            let notices = try await Gate { $0.documentCount > 10 }.run { observer in
                let report = try await fixture.backup(observer: observer) {
                    $0.enduranceSeconds = 120
                }
                #expect(report.manifest.namespaces.count == Self.names.count)
                return observer.notices
            } meanwhile: {
                try await loss.strike(primary, of: set)
            }
            if loss == .frozen {
                #expect(notices.contains { $0.contains("has not answered for") }, "\(notices)")
            }
            try await fixture.drop()
            try await fixture.restore()
            #expect(try await fixture.state() == before)
        }

        @Test(arguments: Loss.allCases)
        func aRestoreResumesAtTheNewPrimary(loss: Loss) async throws {
            let set = try await PrivateReplicaSet()
            let fixture = try await makeFixture(set)
            let before = try await fixture.state()
            try await fixture.backup()
            for name in Self.names { try await fixture.insert([document(100)], name) }
            let primary = try await set.primary()
            let notices = try await Gate { $0.phase == .loading && $0.documentCount > 10 }.run {
                observer in
                try await fixture.restore(observer: observer) { $0.enduranceSeconds = 120 }
                return observer.notices
            } meanwhile: {
                try await loss.strike(primary, of: set)
            }
            if loss == .frozen {
                #expect(notices.contains { $0.contains("has not answered for") }, "\(notices)")
            }
            #expect(try await fixture.state() == before)
        }

        /// No secondary has what the primary takes; then it is gone, and when it comes back, it
        /// rolls back what it had acknowledged.
        @Test func aRestoreFindsOutWhatWasRolledBack() async throws {
            var options = PrivateReplicaSet.Options()
            options.arguments = ["--setParameter", "enableTestCommands=1"]
            let set = try await PrivateReplicaSet(options)
            let fixture = try await makeFixture(set)
            let before = try await fixture.state()
            try await fixture.backup()
            for name in Self.names { try await fixture.insert([document(100)], name) }
            let primary = try await set.primary()
            let count = try await rollbackCount(of: primary, in: set)
            // Otherwise the first thing that is created waits for a majority that never has it.
            try await fixture.command(
                BSONDocument {
                    $0.append("setDefaultRWConcern", Int32(1))
                    $0.append(
                        "defaultWriteConcern", BSONDocument { $0.append("w", Int32(1)) })
                    $0.append("writeConcern", BSONDocument { $0.append("w", "majority") })
                }, on: "admin")
            let secondaries = set.ports.indices.filter { $0 != primary }
            try await setReplication(false, of: secondaries, in: set)
            try await Gate { $0.phase == .loading && $0.documentCount > 10 }.run { observer in
                _ = try await fixture.restore(observer: observer) { $0.enduranceSeconds = 120 }
            } meanwhile: {
                try await set.kill(primary)
                try await setReplication(true, of: secondaries, in: set)
                try await set.start(primary)
            }
            #expect(try await fixture.state() == before)
            try await set.waitUntilReady()
            #expect(try await rollbackCount(of: primary, in: set) > count)
            #expect(try await fixture.state() == before)
        }

        private func setReplication(
            _ isOn: Bool, of members: [Int], in set: PrivateReplicaSet
        ) async throws {
            let command = BSONDocument {
                $0.append("configureFailPoint", "stopReplProducer")
                $0.append("mode", isOn ? "off" : "alwaysOn")
            }
            for member in members { _ = try await set.run(command, on: member) }
        }

        private func rollbackCount(of member: Int, in set: PrivateReplicaSet) async throws -> Int {
            let reply = try await set.run(
                BSONDocument { $0.append("replSetGetRBID", Int32(1)) }, on: member)
            return try #require(try reply.first("rbid")?.wholeNumber)
        }

        // MARK: A server without another one

        @Test func aJobOnAServerThatHangsEndsWhenItsTimeIsOver() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server)
            try await fill(fixture)
            let error = await #expect(throws: MongoError.self) {
                try await Gate { $0.documentCount > 10 }.run { observer in
                    _ = try await fixture.backup(observer: observer) { $0.enduranceSeconds = 12 }
                } meanwhile: {
                    try await server.freeze()
                }
            }
            #expect(error?.isNetworkError == true)
            #expect(try await fixture.catalog.list().isEmpty)
            try await server.kill()
        }

        @Test func aCancelledRestoreEndsThoughTheServerHangs() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server)
            for name in Self.names { try await fixture.insert([document(1)], name) }
            try await fixture.backup()
            let before = try await fixture.state()
            let job = Mutex<Task<Bool, Never>?>(nil)
            let hasEnded = try await Gate { $0.phase == .loading }.run { observer in
                let task = Task {
                    do {
                        try await fixture.restore(observer: observer) { $0.enduranceSeconds = 600 }
                        return false
                    } catch { return true }
                }
                job.withLock { $0 = task }
                return await task.value
            } meanwhile: {
                try await server.freeze()
                job.withLock { $0?.cancel() }
            }
            #expect(hasEnded)
            try await server.thaw()
            var after = try await fixture.state()
            for name in after.collections.keys where name.hasPrefix("cairn.staging.") {
                after.collections[name] = nil
            }
            #expect(after == before)
            try await server.stop()
        }
    }
}
