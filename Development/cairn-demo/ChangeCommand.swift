import ArgumentParser
import BSONBytes
import MongoDriver

/// What happens to a database between a snapshot and its restore: so a restore of little can be
/// measured.
struct ChangeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change",
        abstract: "Change one in a hundred documents of a database: most are updated, some deleted "
            + "and as many inserted.")

    /// Of ten changed documents one is deleted, one is inserted anew, eight are updated.
    private static let kindCount = 10
    private static let interval = 100
    private static let batchCount = 1000

    @Option(help: "Connection string of the server.")
    var uri: String

    @Argument(help: "The database.")
    var database: String

    func run() async throws {
        let database = database
        let pool = try MongoPool(uri: try MongoURI(uri), connectionCountMax: 2)
        try await pool.withConnection { connection in
            for info in try await connection.collections(in: database)
            where info.type == "collection"
                && !["system.", "cairn."].contains(where: info.name.hasPrefix)
            {
                let ids = try await Self.someIDs(info.name, database, connection)
                try await Self.change(ids, info.name, database, connection)
            }
        }
    }

    /// Every hundredth `_id`.
    private static func someIDs(
        _ collection: String, _ database: String, _ connection: MongoConnection
    ) async throws -> [BSONDocument] {
        var request = FindRequest(database: database, collection: collection)
        request.projection = BSONDocument { $0.append("_id", Int32(1)) }
        return try await connection.withCursor(request) { cursor in
            var ids: [BSONDocument] = []
            var count = 0
            while let batch = try await cursor.nextBatch() {
                for document in try batch.documents() {
                    count += 1
                    if count % interval == 0 { ids.append(document) }
                }
            }
            return ids
        }
    }

    private static func change(
        _ ids: [BSONDocument], _ collection: String, _ database: String,
        _ connection: MongoConnection
    ) async throws {
        for start in stride(from: 0, to: ids.count, by: batchCount) {
            let some = Array(ids[start..<min(ids.count, start + batchCount)].enumerated())
            let changed = some.filter { $0.offset % kindCount > 1 }.map(\.element)
            let deleted = some.filter { $0.offset % kindCount == 0 }.map(\.element)
            let insertedCount = some.count { $0.offset % kindCount == 1 }
            try await write("update", "updates", changed.map(update), collection)
            try await write("delete", "deletes", deleted.map(delete), collection)
            let new = (0..<insertedCount).map { number in
                BSONDocument { $0.append("_id", "changed \(start + number)") }
            }
            try await write("insert", "documents", new, collection)
        }

        func write(
            _ command: String, _ field: String, _ entries: [BSONDocument], _ collection: String
        ) async throws {
            guard !entries.isEmpty else { return }
            let command = BSONDocument {
                $0.append(command, collection)
                $0.append(field, array: entries)
            }
            let result = try await connection.write(command, on: database)
            if let error = result.errors.first { throw error }
        }
    }

    private static func update(_ id: BSONDocument) -> BSONDocument {
        BSONDocument {
            $0.append("q", id)
            let field = BSONDocument { $0.append("changed", true) }
            $0.append("u", BSONDocument { $0.append("$set", field) })
        }
    }

    private static func delete(_ id: BSONDocument) -> BSONDocument {
        BSONDocument {
            $0.append("q", id)
            $0.append("limit", Int32(1))
        }
    }
}
