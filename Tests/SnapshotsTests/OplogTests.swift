import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

extension InterruptedJobTests {
    /// Backups that take the oplog of their time with them, and what comes back of those.
    @Suite struct OplogTests {
        /// The backup stands between two replies of the one large collection.
        private static func gate() -> Gate {
            Gate { $0.phase == .reading && $0.subject?.hasSuffix("m_filler") == true }
        }

        private static func backup(
            _ fixture: SnapshotFixture, _ observer: RecordingObserver = RecordingObserver(),
            _ consistency: Backup.Consistency = .oplog,
            adjust: (inout Backup.Options) -> Void = { _ in }
        ) async throws -> Backup.Report {
            try await fixture.backup(filter: NamespaceFilter(), observer: observer) {
                $0.consistency = consistency
                adjust(&$0)
            }
        }

        /// All changes are made while the backup stands, so the instant is known: what is live when
        /// it goes on. What was read before, half-way and after must all come to it.
        @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2, 3, 4])
        func whatChangesMeanwhileComesBackAsOfTheEnd(seed: UInt64) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            let order: Backup.ReadOrder = seed % 2 == 0 ? .id : .natural
            let report = try await Self.gate().run { observer in
                try await Self.backup(fixture, observer) {
                    $0.readOrder = order
                    $0.readerCount = 2
                }
            } meanwhile: {
                var writer = RandomWriter(fixture, seed: seed)
                try await writer.change(300)
            }
            guard case .oplog(let start, let end) = report.manifest.consistency else {
                Issue.record("\(report.manifest.consistency), seed \(seed)")
                return
            }
            #expect(start < end)
            let wanted = try await fixture.comparableState()
            // Into nothing, and over what is there.
            for isEmpty in [true, false] {
                if isEmpty { try await fixture.drop() }
                let observer = RecordingObserver()
                let restored = try await fixture.restore(observer: observer)
                #expect(try await fixture.differences(from: wanted) == [], "seed \(seed)")
                #expect(try #require(restored.replayedCount) > 300)
                #expect(observer.notices == [], "seed \(seed)")
            }
            try await server.stop()
        }

        /// Writers never stop, so that the instant is one among their writes: money that moves in
        /// transactions is never made nor lost, and a log has no holes.
        @Test func transactionsAreWholeWhileWritersNeverStop() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            try await fixture.create("log")
            let writer = Task {
                var random = RandomWriter(fixture, seed: 5)
                var number: Int32 = 0
                while !Task.isCancelled {
                    try await random.transfer()
                    try await fixture.insert([document(number)], "log")
                    try await fixture.insert([document(number)], "m_log")
                    number += 1
                }
            }
            for _ in 0..<3 {
                let report = try await Self.backup(
                    fixture, RecordingObserver { _ in usleepBriefly() })
                #expect(report.manifest.consistency.name == "oplog")
            }
            writer.cancel()
            _ = await writer.result
            try await fixture.drop()
            try await fixture.restore()
            var sum = 0
            for side in ["a_left", "z_right"] {
                for account in try await fixture.documents(side) {
                    sum += try account.require("n", \.wholeNumber)
                }
            }
            #expect(sum == Int(2 * RandomWriter.balance * RandomWriter.accountCount))
            let counts = [
                try await fixture.documents("log").count,
                try await fixture.documents("m_log").count,
            ]
            #expect((0...1).contains(counts[0] - counts[1]), "\(counts)")
            #expect(counts[1] > 0)
            try await server.stop()
        }

        /// Whatever the replay is stopped by, and wherever, live data is as it was.
        @Test(arguments: [1, 2, 4])
        func aReplayThatIsInterruptedLeavesLiveDataAlone(_ place: Int) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await Self.backupWithChanges(fixture)
            try await fixture.drop()
            try await fixture.insert([document(77)], "a_left")
            try await fixture.create("view", CollectionOptions.view(on: "a_left", match: 5))
            let before = try await fixture.state()
            let counter = Counter()
            let error = await Canceller().run { progress in
                guard progress.phase == .replaying else { return false }
                return counter.next() == place
            } _: { observer in
                try await fixture.restore(observer: observer)
            }
            #expect(error is CancellationError, "\(String(describing: error))")
            #expect(try await fixture.state() == before)
            try await fixture.restore()
            #expect(try await fixture.documents("a_left").count == RandomWriter.accountCount)
            try await server.stop()
        }

        /// All but renames: it builds the indexes of collections by the names that they had before.
        @Test(.needsMongorestore, arguments: Mongorestore.all)
        func mongorestoreReplaysIt(_ mongorestore: Mongorestore) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            let wanted = try await Self.backupWithChanges(fixture, withRenames: false)
            let key = try #require(
                try fixture.folder.contents.first { $0.hasSuffix(".archive.gz") })
            for throughPipe in [false, true] {
                try await fixture.drop()
                try await mongorestore.restore(
                    "\(fixture.folder.path)/\(key)", to: server, throughPipe: throughPipe,
                    replaysOplog: true)
                #expect(try await fixture.differences(from: wanted) == [])
            }
            try await server.stop()
        }

        /// What is made of such an archive is one, unless something of it is gone.
        @Test func aConvertedOneIsReplayedAndASalvagedOneIsNot() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            let wanted = try await Self.backupWithChanges(fixture)
            let key = try #require(
                try fixture.folder.contents.first { $0.hasSuffix(".archive.gz") })
            let path = "\(fixture.folder.path)/\(key)"
            let plain = fixture.folder.path + "/plain.archive"
            let (status, output) = try await Shell.run("zcat '\(path)' > '\(plain)'")
            try #require(status == 0, "\(output)")
            let indexed = fixture.folder.path + "/indexed.archive.gz"
            let report = try await Conversion(
                .file(plain), to: .file(indexed),
                options: Conversion.Options(width: 2, temporaryFolder: fixture.folder.path),
                environment: fixture.environment, observer: RecordingObserver()
            ).run()
            #expect(report.manifest.consistency.name == "oplog")
            for archive in [plain, indexed] {
                try await fixture.drop()
                try await fixture.restore(.file(archive))
                #expect(try await fixture.differences(from: wanted) == [])
            }
            var bytes = try fixture.folder.bytes(path)
            bytes[bytes.count / 2] ^= 1
            let damaged = try fixture.folder.file("damaged", bytes)
            let saved = fixture.folder.path + "/saved.archive.gz"
            let salvage = try await Salvage(
                .file(damaged), to: .file(saved),
                options: Salvage.Options(width: 2, temporaryFolder: fixture.folder.path),
                environment: fixture.environment, observer: RecordingObserver()
            ).run()
            #expect(salvage.manifest.consistency == .none)
            #expect(salvage.manifest.namespaces.allSatisfy { !$0.descriptor.isOplog })
            let restored = try await fixture.restore(.file(saved))
            #expect(restored.replayedCount == nil)
            try await server.stop()
        }

        /// Entries are about a whole server under its own names.
        @Test func aSelectionOrAMergeLeavesTheOplogOutAndSaysSo() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await Self.backupWithChanges(fixture)
            func notices(
                _ restore: (RecordingObserver) async throws -> RestoreReport
            ) async throws -> [String] {
                let observer = RecordingObserver()
                #expect(try await restore(observer).replayedCount == nil)
                return observer.notices.filter { $0.contains("left out the oplog") }
            }
            let told = [
                try await notices { observer in
                    try await fixture.restore(included: ["d.a_left"], observer: observer)
                },
                try await notices { observer in
                    try await fixture.restore(renames: ["d.*=e.*"], observer: observer)
                },
                try await notices { observer in
                    try await fixture.restore(nil, .merge, observer: observer)
                },
                try await notices { observer in
                    try await fixture.restore(observer: observer) { $0.replaysOplog = false }
                },
            ]
            #expect(told.allSatisfy { $0.count == 1 }, "\(told)")
            try await server.stop()
        }

        /// Its cursor is gone, and what it had not read can't be told from what it had.
        @Test func aRenameOfTheCollectionThatIsReadStartsOver() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            let report = try await Self.gate().run { observer in
                let report = try await Self.backup(fixture, observer)
                #expect(observer.notices.count == 1, "\(observer.notices)")
                return report
            } meanwhile: {
                try await fixture.rename("m_filler", to: "n_filler")
            }
            let names = report.manifest.namespaces.map(\.descriptor.namespace.collection)
            #expect(names.contains("n_filler") && !names.contains("m_filler"))
            try await server.stop()
        }

        /// A drop ends the cursor too, but then nothing is missing.
        @Test func aDropOfTheCollectionThatIsReadDoesNotStartOver() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            try await Self.gate().run { observer in
                try await Self.backup(fixture, observer)
                #expect(observer.notices == [])
            } meanwhile: {
                try await fixture.dropCollection("m_filler")
                try await fixture.dropCollection("y_docs")
                try await fixture.rename("z_right", to: "y_docs")
                try await fixture.insert([document(1)], "z_right")
            }
            let wanted = try await fixture.comparableState()
            try await fixture.drop()
            try await fixture.restore()
            #expect(try await fixture.differences(from: wanted) == [])
            try await server.stop()
        }

        /// - Returns: what a restore with the oplog must bring back.
        @discardableResult
        private static func backupWithChanges(
            _ fixture: SnapshotFixture, withRenames: Bool = true
        ) async throws -> [String: SnapshotFixture.State.Collection] {
            try await RandomWriter.prepare(fixture)
            try await gate().run { observer in
                _ = try await backup(fixture, observer)
            } meanwhile: {
                var writer = RandomWriter(fixture, seed: 11)
                writer.renames = withRenames
                try await writer.change(200)
                let fill = [UInt8](repeating: 9, count: 200_000)
                for number in 0..<10 as Range<Int32> {
                    try await fixture.insert(
                        [document(number) { $0.append("fill", binary: fill, subtype: 0) }], "late")
                }
            }
            return try await fixture.comparableState()
        }

        @Test func autoFallsBackWhenTheSnapshotIsLost() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            try await fixture.keepHistory(seconds: 1)
            func backup(_ consistency: Backup.Consistency) async throws -> (
                report: Backup.Report, notices: [String]
            ) {
                let notices = RecordingObserver()
                let report = try await Self.gate().run { observer in
                    let report = try await Self.backup(fixture, observer, consistency)
                    for notice in observer.notices { notices.noticed(notice) }
                    return report
                } meanwhile: {
                    try await fixture.loseHistory()
                }
                return (report, notices.notices)
            }
            let (report, notices) = try await backup(.auto)
            #expect(report.manifest.consistency.name == "oplog")
            #expect(notices.count == 1 && notices[0].contains("snapshot was lost"), "\(notices)")
            let error = await #expect(throws: MongoError.self) { _ = try await backup(.snapshot) }
            #expect(error?.code == .snapshotTooOld)
            #expect(try await backup(.none).report.manifest.consistency == .none)
            // Known beforehand.
            try await fixture.keepHistory(seconds: 0)
            let observer = RecordingObserver()
            let told = try await Self.backup(fixture, observer, .auto)
            #expect(told.manifest.consistency.name == "oplog")
            #expect(observer.notices.count == 1, "\(observer.notices)")
            try await server.stop()
        }

        @Test func anOplogThatOverflowsIsAnError() async throws {
            var options = PrivateServer.Options()
            options.arguments = ["--oplogSize", "1", "--syncdelay", "1"]
            let server = try await PrivateServer(options)
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            let error = await #expect(throws: SnapshotError.self) {
                try await Self.gate().run { observer in
                    try await Self.backup(fixture, observer)
                } meanwhile: {
                    try await fixture.overflowOplog()
                }
            }
            #expect(error?.code == .oplogOverflow, "\(error?.message ?? "")")
            #expect(try fixture.folder.contents.filter { !$0.hasPrefix(".") } == [])
            try await server.stop()
        }

        @Test func anOplogIsOfTheWholeServerAndOfAReplicaSet() async throws {
            let fixture = try await SnapshotFixture.shared()
            try await fixture.insert([document(1)], "a")
            let error = await #expect(throws: SnapshotError.self) {
                try await fixture.backup { $0.consistency = .oplog }
            }
            #expect(error?.code == .usage)
            try await fixture.drop()
            var options = PrivateServer.Options()
            options.isReplicaSet = false
            let server = try await PrivateServer(options)
            let alone = try await SnapshotFixture(server, database: "d")
            try await alone.insert([document(1)], "a")
            for consistency in [Backup.Consistency.oplog, .snapshot] {
                let error = await #expect(throws: SnapshotError.self) {
                    try await Self.backup(alone, RecordingObserver(), consistency)
                }
                #expect(error?.code == .unsupported)
            }
            try await server.stop()
        }
    }
}

extension SnapshotFixture {
    /// For how long the server keeps what snapshots are read from.
    func keepHistory(seconds: Int32) async throws {
        try await command(
            BSONDocument {
                $0.append("setParameter", Int32(1))
                $0.append("minSnapshotHistoryWindowInSeconds", seconds)
            }, on: "admin")
    }

    /// Writes until the server has forgotten what was there before.
    func loseHistory() async throws {
        guard let moment = try await pool.withConnection({ try await $0.operationTime() }) else {
            return
        }
        var request = FindRequest(database: database, collection: "a_left")
        request.atClusterTime = moment
        let count = try await names().count
        var number: Int32 = 0
        while true {
            try await insert([document(number)], "history \(count)")
            number += 1
            do {
                try await pool.withConnection { connection in
                    try await connection.withCursor(request) { _ = try await $0.nextBatch() }
                }
                usleep(100_000)
            } catch let error as MongoError where error.code == .snapshotTooOld {
                return
            }
        }
    }

    /// Writes until the oldest entry of the oplog is newer than now.
    func overflowOplog() async throws {
        let start = try await pool.withConnection { try await $0.newestOplogTime() }
        let fill = [UInt8](repeating: 1, count: 500_000)
        var number: Int32 = 0
        while try await pool.withConnection({ try await $0.oldestOplogTime() }) <= start {
            try await insert(
                [document(number) { $0.append("fill", binary: fill, subtype: 0) }], "overflow")
            number += 1
        }
    }
}

extension SnapshotFixture {
    /// Collections that are not as they must be.
    func differences(from wanted: [String: State.Collection]) async throws -> [String] {
        let found = try await comparableState()
        return Set(found.keys).union(wanted.keys).filter { found[$0] != wanted[$0] }.sorted()
    }

    /// What a restore must bring back, but for the order of indexes.
    func comparableState() async throws -> [String: State.Collection] {
        try await state().collections.mapValues { collection in
            var collection = collection
            collection.indexes = collection.indexes.inByteOrder
            return collection
        }
    }
}
