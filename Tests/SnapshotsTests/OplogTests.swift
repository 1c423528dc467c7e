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
                let found = try await fixture.comparableState()
                for name in Set(found.keys).union(wanted.keys).sorted() {
                    #expect(found[name] == wanted[name], "seed \(seed), \(name)")
                }
                #expect(try #require(restored.replayedCount) > 300)
                #expect(observer.notices == [], "seed \(seed)")
            }
            try await server.stop()
        }
    }
}

extension SnapshotFixture {
    /// What a restore must bring back, but for the order of indexes.
    func comparableState() async throws -> [String: State.Collection] {
        try await state().collections.mapValues { collection in
            var collection = collection
            collection.indexes = collection.indexes.inByteOrder
            return collection
        }
    }
}
