import BSONBytes
import Foundation
import MongoDriver
import Snapshots

extension SnapshotFixture {
    func serverRole() async throws -> ServerInfo.Role {
        try await pool.withConnection { try await $0.serverInfo().role }
    }

    func rename(_ collection: String, to name: String) async throws {
        try await pool.withConnection { connection in
            try await connection.renameCollection(
                from: "\(database).\(collection)", to: "\(database).\(name)", dropTarget: false)
        }
    }

    func expire(_ collection: String, after seconds: Int64) async throws {
        try await command(
            BSONDocument {
                $0.append("collMod", collection)
                $0.append("expireAfterSeconds", seconds)
            })
    }

    /// Writes to the collection `c` in the server's own record.
    func writeCount(since moment: BSONTimestamp) async throws -> Int {
        var request = FindRequest(database: "local", collection: "oplog.rs")
        request.filter = BSONDocument {
            $0.append("ns", "\(database).c")
            $0.append("ts", BSONDocument { $0.append("$gt", moment) })
        }
        return try await pool.withConnection { [request] connection in
            try await connection.withCursor(request) { cursor in
                var count = 0
                while let batch = try await cursor.nextBatch() {
                    count += try batch.documents().count
                }
                return count
            }
        }
    }

    /// The bytes of an archive that was taken at a stopped clock and with the same dice.
    func archiveWithFixedEnvironment(width: Int) async throws -> Data {
        let path = "\(folder.path)/width-\(width)"
        var options = Backup.Options(width: width)
        options.filter = NamespaceFilter(database: database)
        options.chunkTargetByteCount = 262_144
        options.readerCount = width
        _ = try await Backup(
            pool, to: .file(path), options: options,
            environment: JobEnvironment(now: { 1_800_000_000_000 }, random: { 7 }),
            observer: RecordingObserver()
        ).run()
        let bytes = try Data(contentsOf: URL(filePath: path))
        try FileManager.default.removeItem(atPath: path)
        return bytes
    }
}

extension Array {
    func asyncMap<Result>(
        _ transform: (Element) async throws -> Result
    ) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}

/// Makes a job slow without making it wait for anything.
func usleepBriefly() {
    usleep(5000)
}
