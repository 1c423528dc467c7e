import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

/// Backups that take the oplog of their time with them.
enum OplogBackup {
    /// The backup stands between two replies of the one large collection.
    static func gate() -> Gate {
        Gate { $0.phase == .reading && $0.subject?.hasSuffix("m_filler") == true }
    }

    static func backup(
        _ fixture: SnapshotFixture, _ observer: RecordingObserver = RecordingObserver(),
        _ consistency: Backup.Consistency = .oplog,
        adjust: (inout Backup.Options) -> Void = { _ in }
    ) async throws -> Backup.Report {
        try await fixture.backup(filter: NamespaceFilter(), observer: observer) {
            $0.consistency = consistency
            adjust(&$0)
        }
    }

    /// - Returns: what a restore with the oplog must bring back.
    @discardableResult
    static func backupWithChanges(
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
                try await Task.sleep(for: .milliseconds(100))
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
