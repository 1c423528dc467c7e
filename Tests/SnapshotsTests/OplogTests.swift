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
        /// All changes are made while the backup stands, so the instant is known: what is live when
        /// it goes on. What was read before, half-way and after must all come to it.
        @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2])
        func whatChangesMeanwhileComesBackAsOfTheEnd(seed: UInt64) async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            // The first one would change the authorization schema too.
            try await fixture.createUser("old")
            let order: Backup.ReadOrder = seed % 2 == 0 ? .id : .natural
            let report = try await OplogBackup.gate().run { observer in
                let report = try await OplogBackup.backup(fixture, observer) {
                    $0.readOrder = order
                    $0.readerCount = 2
                }
                #expect(observer.notices == [])
                return report
            } meanwhile: {
                var writer = RandomWriter(fixture, seed: seed)
                try await writer.change(150)
                try await writer.makeOthers()
                try await writer.change(150)
            }
            guard case .oplog(let start, let end) = report.manifest.consistency else {
                Issue.record("\(report.manifest.consistency), seed \(seed)")
                return
            }
            #expect(start < end)
            let wanted = try await fixture.comparableState()
            let other = try await fixture.state("other")
            let users = try await fixture.documents("system.users", in: "admin")
            try #require(users.count == 2)
            // Into nothing, and over what is there.
            for isEmpty in [true, false] {
                if isEmpty {
                    try await fixture.drop()
                    try await fixture.drop("other")
                    try await fixture.command(
                        BSONDocument { $0.append("dropUser", "new") }, on: "admin")
                }
                let observer = RecordingObserver()
                let restored = try await fixture.restore(observer: observer)
                #expect(try await fixture.differences(from: wanted) == [], "seed \(seed)")
                #expect(try await fixture.state("other") == other)
                #expect(try await fixture.documents("system.users", in: "admin") == users)
                #expect(try await fixture.names(in: "passing") == [])
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
                let report = try await OplogBackup.backup(
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

        /// Its cursor is gone, and what it had not read can't be told from what it had.
        @Test func aRenameOfTheCollectionThatIsReadStartsOver() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            let report = try await OplogBackup.gate().run { observer in
                let report = try await OplogBackup.backup(fixture, observer)
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
            try await OplogBackup.gate().run { observer in
                _ = try await OplogBackup.backup(fixture, observer)
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

        @Test func autoFallsBackWhenTheSnapshotIsLost() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server, database: "d")
            try await RandomWriter.prepare(fixture)
            try await fixture.keepHistory(seconds: 1)
            func backup(_ consistency: Backup.Consistency) async throws -> (
                report: Backup.Report, notices: [String]
            ) {
                let notices = RecordingObserver()
                let report = try await OplogBackup.gate().run { observer in
                    let report = try await OplogBackup.backup(fixture, observer, consistency)
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
            let told = try await OplogBackup.backup(fixture, observer, .auto)
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
                try await OplogBackup.gate().run { observer in
                    try await OplogBackup.backup(fixture, observer)
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
                    try await OplogBackup.backup(alone, RecordingObserver(), consistency)
                }
                #expect(error?.code == .unsupported)
            }
            try await server.stop()
        }
    }
}
