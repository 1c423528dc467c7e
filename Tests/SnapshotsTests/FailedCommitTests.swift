import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

extension InterruptedJobTests {
    /// What a restore leaves, and says, that fails when some of it is live.
    @Suite struct FailedCommitTests {
        private static func server() async throws -> PrivateServer {
            var options = PrivateServer.Options()
            options.isReplicaSet = false
            options.arguments = ["--setParameter", "enableTestCommands=1"]
            return try await PrivateServer(options)
        }

        /// Makes a server fail a command after it has done some.
        private static func fail(
            _ command: String, _ mode: BSONDocument, _ fixture: SnapshotFixture
        ) async throws {
            try await fixture.command(
                BSONDocument {
                    $0.append("configureFailPoint", "failCommand")
                    $0.append("mode", mode)
                    let data = BSONDocument {
                        $0.append("errorCode", Int32(96))
                        $0.append("failCommands", array: [command])
                    }
                    $0.append("data", data)
                }, on: "admin")
        }

        @Test func whatWasAddedToALiveTimeSeriesIsTakenOutAgain() async throws {
            let server = try await Self.server()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await PrivilegedKind.timeSeries.make(fixture)
            try await fixture.backup()
            for name in ["c", "base"] {
                try await fixture.pool.withConnection { connection in
                    try await connection.dropCollection(name, in: "d")
                }
            }
            try await PrivilegedKind.timeSeries.make(fixture)
            let before = try await fixture.state()
            let gate = Gate { $0.phase == .publishing && $0.subject == "d.c" }
            await #expect(throws: MongoError.self) {
                try await gate.run { observer in
                    try await fixture.restore(included: ["d.c"], observer: observer)
                } meanwhile: {
                    try await Self.fail(
                        "delete", BSONDocument { $0.append("times", Int32(1)) }, fixture)
                }
            }
            #expect(try await fixture.state() == before)
            try await fixture.restore(included: ["d.c"])
            #expect(try await fixture.documents("c").count == 3)
            try await server.stop()
        }

        /// What of the snapshot is in a live time series already is taken out again.
        @Test func aCancelledCommitLeavesALiveTimeSeriesAsItWas() async throws {
            let server = try await Self.server()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await PrivilegedKind.timeSeries.make(fixture)
            try await fixture.backup()
            for name in ["c", "base"] { try await fixture.dropCollection(name) }
            try await PrivilegedKind.timeSeries.make(fixture)
            let before = try await fixture.state()
            let gate = Gate { $0.isCommit && $0.subject == "d.c" }
            let (cancellation, cancel) = AsyncStream.makeStream(of: Void.self)
            await #expect(throws: CancellationError.self) {
                try await gate.run { observer in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await fixture.restore(included: ["d.c"], observer: observer)
                        }
                        for await _ in cancellation { break }
                        group.cancelAll()
                        try await group.waitForAll()
                    }
                } meanwhile: {
                    cancel.yield()
                    // So that it is cancelled before the gate opens.
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            #expect(try await fixture.state() == before)
            try await server.stop()
        }

        @Test func whateverTheErrorItIsToldWhatIsLive() throws {
            let changes = LiveChanges()
            let options = Restore.Options(mode: .replace, width: 1)
            let observer = RecordingObserver()
            let unchanged = changes.explained(CancellationError(), options, observer)
            #expect(unchanged is CancellationError)
            changes.note(Namespace("d", "a"))
            let errors: [any Error] = [
                CancellationError(), MongoError(.network, "it is gone"),
                SnapshotError(.refused, "it is refused"),
            ]
            for error in errors {
                let told = changes.explained(error, options, observer)
                let explained = try #require(told as? SnapshotError)
                #expect(explained.message.contains("already the snapshot's: d.a;"))
                #expect(explained.message.hasSuffix(try #require(explained.alreadyLive)))
            }
            #expect(observer.notices.isEmpty)
            let damage = ArchiveError(.malformed, "it is damaged")
            #expect(changes.explained(damage, options, observer) is ArchiveError)
            #expect(observer.notices.contains { $0.contains("already the snapshot's: d.a;") })
        }

        /// What was deleted is gone for good, so what was added in its place must stay.
        @Test func nothingIsTakenOutOnceSomethingWasDeleted() async throws {
            let server = try await Self.server()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await PrivilegedKind.timeSeries.make(fixture)
            try await fixture.backup()
            let archived = Set(try await fixture.documents("system.buckets.c"))
            for name in ["c", "base"] { try await fixture.dropCollection(name) }
            try await PrivilegedKind.timeSeries.make(fixture)
            let gate = Gate { $0.phase == .publishing && $0.subject == "d.c" }
            await #expect(throws: (any Error).self) {
                try await gate.run { observer in
                    try await fixture.restore(included: ["d.c"], observer: observer)
                } meanwhile: {
                    try await fixture.command(
                        BSONDocument {
                            $0.append("configureFailPoint", "failCommand")
                            $0.append("mode", BSONDocument { $0.append("times", Int32(1)) })
                            let failure = BSONDocument {
                                $0.append("code", Int32(64))
                                $0.append("errmsg", "waiting for replication timed out")
                            }
                            let data = BSONDocument {
                                $0.append("writeConcernError", failure)
                                $0.append("failCommands", array: ["delete"])
                            }
                            $0.append("data", data)
                        }, on: "admin")
                }
            }
            let left = Set(try await fixture.documents("system.buckets.c"))
            #expect(left.isSuperset(of: archived))
            try await fixture.restore(included: ["d.c"])
            #expect(Set(try await fixture.documents("system.buckets.c")) == archived)
            try await server.stop()
        }

        /// A collection that somebody else has made meanwhile is not the restore's to drop.
        @Test func whatSomebodyElseHasMadeMeanwhileIsLeftAlone() async throws {
            let server = try await Self.server()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await PrivilegedKind.timeSeries.make(fixture)
            try await fixture.backup()
            try await fixture.dropCollection("c")
            let gate = Gate { $0.phase == .publishing && $0.subject == "d.c" }
            let error = await #expect(throws: SnapshotError.self) {
                try await gate.run { observer in
                    try await fixture.restore(included: ["d.c"], observer: observer)
                } meanwhile: {
                    try await fixture.insert([document(7)], "c")
                }
            }
            #expect(error?.code == .namespaceConflict)
            #expect(try await fixture.documents("c") == [document(7)])
            try await server.stop()
        }

        @Test(arguments: [false, true])
        func aFailureAfterTheFirstSwapSaysWhatIsSwappedAndTheWayBack(
            _ keeps: Bool
        ) async throws {
            let server = try await Self.server()
            let fixture = try await SnapshotFixture(server, database: "d")
            for name in ["a", "b"] { try await fixture.insert([document(1)], name) }
            try await fixture.backup()
            let job = JobID(kind: "restore", fixture.environment)
            // Keeping takes three renames a collection.
            let skipped = BSONDocument { $0.append("skip", Int32(keeps ? 3 : 1)) }
            try await Self.fail("renameCollection", skipped, fixture)
            var options = Restore.Options(mode: .replace, width: 1)
            options.previousState = "the backup x"
            if keeps { options.keepOld = Restore.KeepOld(job: job, seconds: 600) }
            // With two connections one collection is swapped after the other.
            let pool = try MongoPool(uri: fixture.pool.uri, connectionCountMax: 2)
            let restore = Restore(
                .snapshot("latest", in: fixture.catalog), to: pool, options: options,
                observer: RecordingObserver())
            let error = try await #require(throws: SnapshotError.self) {
                _ = try await restore.run()
            }
            let message = error.message
            #expect(message.contains("already the snapshot's: d.a;") != message.contains("d.b;"))
            #expect(message.contains("renameCollection on d."), "\(message)")
            #expect(!message.contains("cairn.staging"), "\(message)")
            #expect(message.contains("--undo \(job)") == keeps, "\(message)")
            #expect(message.contains("restore the backup x") != keeps, "\(message)")
            #expect(try await fixture.documents("a").count == 1)
            try await server.stop()
        }
    }
}

@Suite struct UserNamesTests {
    @Test func aRestoresOwnNamesBecomeThoseOfUsers() {
        let place = StagingPlace(beside: Namespace("d", "files"))
        let name = place.namespace.description
        #expect(UserNames.inText("insert on \(name) failed") == "insert on d.files failed")
        #expect(
            UserNames.inText("Collection \(name) ( x ) :: E11000 collection: \(name)")
                == "Collection d.files ( x ) :: E11000 collection: d.files")
        #expect(UserNames.inText("\"\(place.namespace.collection)\": no") == "\"files\": no")
        #expect(UserNames.inText("index of \(name).") == "index of d.files.")
        let kept = KeptName(
            job: JobID(kind: "restore", .system), expiry: 9, was: .live, collection: "a.b")
        #expect(
            UserNames.inText("rename on d.\(SwapName(kept)) failed") == "rename on d.a.b failed")
        #expect(UserNames.inText("drop on d.\(kept)") == "drop on d.a.b")
        #expect(UserNames.inText("d.system.buckets.w is full") == "d.w is full")
        #expect(UserNames.inText("admin.tempusers") == "admin.system.users")
        for text in ["", "cairn.", "cairn.staging.x", "d.cairn.kept.", "cairn.cairn.staging."] {
            #expect(UserNames.inText(text) == text)
        }
    }

    /// A network's failure stays one: jobs that can try again look at its code.
    @Test func anErrorKeepsItsKind() throws {
        let place = StagingPlace(beside: Namespace("d", "files"))
        let error = MongoError(
            .network, "insert on \(place.namespace) lost its connection", labels: ["x"])
        let renamed = try #require(error.inUserNames as? MongoError)
        #expect(renamed.message == "insert on d.files lost its connection")
        #expect(renamed.code == .network && renamed.labels == ["x"])
        let changes = LiveChanges()
        let options = Restore.Options(mode: .replace, width: 1)
        #expect(changes.explained(error, options, RecordingObserver()) is MongoError)
        changes.note(Namespace("d", "a"))
        let explained = try #require(
            changes.explained(error, options, RecordingObserver()) as? SnapshotError)
        #expect(explained.code.rawValue == "network")
    }
}

/// Why the first entry of a window is not there.
@Suite(.needsServer, .serialized) struct LostOplogEntryTests {
    @Test func aRolledBackEntryIsNotCalledAShortOplog() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1)], "c")
        let oldest = try await fixture.pool.withConnection { try await $0.oldestOplogTime() }
        try await Task.sleep(for: .milliseconds(1100))
        try await fixture.insert([document(2)], "c")
        let newest = try await fixture.pool.withConnection { try await $0.newestOplogTime() }
        // The start of a later second, which no entry has: they are counted from 1.
        let gone = BSONTimestamp(rawValue: newest.rawValue & ~0xFFFF_FFFF)
        let rolledBack = try await Self.read(OplogWindow(start: gone, floor: newest), fixture)
        #expect(rolledBack.code == .catalogChanged)
        #expect(rolledBack.message.contains("rolled back"))
        let early = BSONTimestamp(rawValue: oldest.rawValue - 1)
        let overflow = try await Self.read(OplogWindow(start: early, floor: newest), fixture)
        #expect(overflow.code == .oplogOverflow)
    }

    private static func read(
        _ window: OplogWindow, _ fixture: SnapshotFixture
    ) async throws -> SnapshotError {
        let capture = OplogCapture(window, fixture.pool, Backup.Options(width: 1))
        let stream = BackupPlan.Stream(ordinal: 0, descriptor: .oplog, kind: .data)
        return try await #require(throws: SnapshotError.self) {
            try await capture.read(stream) { _ in }
        }
    }
}
