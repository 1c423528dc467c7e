import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import Snapshots
import Synchronization
import Testing

/// Restores that go on where a killed one has stopped.
@Suite(.needsServer, .serialized) struct ResumeTests {
    @Test(arguments: [("loading", 1), ("loading", 4), ("comparing", 1), ("publishing", 1)])
    func aKilledReplaceGoesOn(_ phase: String, _ count: Int) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await CollectionKinds.make(fixture)
        try await fixture.insert((0..<5000).map { Victim.stone($0, "old") }, "stones")
        try await fixture.backup()
        let archived = try await fixture.state()
        try await fixture.insert((5000..<5100).map { Victim.stone($0, "new") }, "stones")
        let before = try await fixture.state()
        let victim = Victim(fixture, server, phase, count: count)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restore()
        }
        let after = try await fixture.state()
        for (name, collection) in before.collections {
            #expect(after.collections[name] == collection, "\(name)")
        }
        let observer = RecordingObserver()
        let report = try await fixture.restore(observer: observer) { $0.isResumed = true }
        #expect(observer.notices.contains { $0.contains("resuming") })
        #expect(try await fixture.state() == archived)
        let outcome = try #require(report.entries.first { $0.target.collection == "stones" })
            .outcome
        #expect(outcome.documentCount == 5000)
        #expect(outcome.insertedCount + outcome.equalCount == 5000)
        // Once all of it was loaded, nothing is written again.
        #expect(outcome.insertedCount == 0 || phase == "loading")
        try await server.stop()
    }

    /// What belongs to another archive is no good.
    @Test func onlyTheSameArchiveIsGoneOnWith() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert((0..<5000).map { Victim.stone($0, "old") }, "stones")
        try await fixture.backup()
        let victim = Victim(fixture, server, "loading", count: 2)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restore()
        }
        try await fixture.replace(
            BSONValue.made { $0.append("", Int32(3)) }, by: Victim.stone(3, "changed"), "stones")
        try await fixture.backup(adjust: { $0.kind = "later" })
        let archived = try await fixture.documents("stones").inByteOrder
        let observer = RecordingObserver()
        let later = try #require(
            try await fixture.catalog.list().map(\.id.description).first { $0.contains("later") })
        try await fixture.restore(
            .snapshot(later, in: fixture.catalog), observer: observer
        ) { $0.isResumed = true }
        #expect(observer.notices.contains { $0.contains("nothing to resume") })
        #expect(try await fixture.documents("stones").inByteOrder == archived)
        #expect(try await fixture.names() == ["stones"])
        try await server.stop()
    }
}

extension InterruptedJobTests {
    /// Restores that go on by themselves.
    @Suite struct EnduranceTests {
        private func fill(_ fixture: SnapshotFixture) async throws {
            let fill = [UInt8](repeating: 1, count: 250_000)
            for name in ["a", "b", "c"] {
                try await fixture.insert(
                    (0..<12).map {
                        document($0) { $0.append("fill", binary: fill, subtype: 0) }
                    }, name)
            }
            try await fixture.insert((0..<30).map { document($0) }, "small")
        }

        private func uri(_ server: PrivateServer) throws -> MongoURI {
            try MongoURI(
                "mongodb://127.0.0.1:\(server.port)/?replicaSet=rs0&serverSelectionTimeoutMS=1000")
        }

        @Test(arguments: [Restore.Mode.replace, .merge])
        func aRestartedServerIsWaitedFor(_ mode: Restore.Mode) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, uri: try uri(server))
            try await fill(fixture)
            try await fixture.backup()
            let archived = try await fixture.state()
            try await fixture.drop()
            _ = try await Gate { $0.phase == .loading && $0.documentCount > 5 }.run { observer in
                try await fixture.restore(nil, mode, observer: observer) {
                    $0.enduranceSeconds = 120
                }
            } meanwhile: {
                try await server.kill()
                try await server.restart()
            }
            let found = try await fixture.state()
            for (name, collection) in archived.collections {
                #expect(
                    found.collections[name]?.documents.count == collection.documents.count,
                    "\(name)")
                #expect(found.collections[name]?.indexes == collection.indexes, "\(name)")
            }
            #expect(found == archived)
            try await server.stop()
        }

        /// A capped collection is loaded in order, and entries of an oplog are replayed: neither
        /// can be repeated on the spot.
        @Test(arguments: [JobProgress.Phase.loading, .replaying])
        func whatCannotBeRepeatedBeginsAgain(_ phase: JobProgress.Phase) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, uri: try uri(server))
            try await fill(fixture)
            try await fixture.create("capped", CollectionOptions.capped)
            try await fixture.insert((0..<40).map { document($0) }, "capped")
            // An oplog with something in it.
            _ = try await Gate { $0.phase == .reading && $0.documentCount > 5 }.run { observer in
                try await fixture.backup(filter: NamespaceFilter(), observer: observer) {
                    $0.consistency = .oplog
                }
            } meanwhile: {
                try await fixture.insert((100..<130).map { document($0) }, "small")
            }
            let archived = try await fixture.state()
            try await fixture.insert([document(99)], "a")
            let notices = Mutex<[String]>([])
            let isLoading = phase == .loading
            let gate = Gate { $0.phase == phase && (!isLoading || $0.documentCount > 5) }
            try await gate.run { observer in
                try await fixture.restore(usersAndRoles: false, observer: observer) {
                    $0.enduranceSeconds = 120
                }
                notices.withLock { $0 = observer.notices }
            } meanwhile: {
                try await server.kill()
                try await server.restart()
            }
            let told = notices.withLock { $0 }
            #expect(told.contains { $0.contains("starting again") }, "\(told)")
            #expect(try await fixture.state() == archived)
            try await server.stop()
        }

        @Test func aServerThatStaysAwayIsAnErrorInTheEnd() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, uri: try uri(server))
            try await fill(fixture)
            try await fixture.backup()
            let before = try await fixture.state()
            let error = await #expect(throws: MongoError.self) {
                _ = try await Gate { $0.phase == .loading && $0.documentCount > 5 }.run {
                    observer in
                    try await fixture.restore(observer: observer) { $0.enduranceSeconds = 3 }
                } meanwhile: {
                    try await server.kill()
                }
            }
            #expect(error?.isNetworkError == true)
            try await server.restart()
            // It can be resumed, by this very process.
            let observer = RecordingObserver()
            try await fixture.restore(observer: observer) { $0.isResumed = true }
            #expect(observer.notices.contains { $0.contains("resuming") })
            #expect(try await fixture.state() == before)
            try await server.stop()
        }
    }
}
