import BSONBytes
import MongoDriver
import SampleData

/// A bad day: what people and programs do to data that they should not have touched.
struct Damage: Sendable {
    let dataSet: SampleDataSet
    let pool: MongoPool
    let database: String

    /// Does it all and answers one line for each deed.
    func run() async throws -> [String] {
        try await pool.withConnection { connection in
            try await connection.dropCollection("users", in: database)
            let deleted = try await deleteHalf(of: "session_bookings", connection)
            let overwritten = try await overwrite("payments", connection)
            let added = try await addJunk(to: "messages", connection)
            try await connection.write(
                collection: "reviews", dropIndex: "coach_id_1_rating_-1", on: database)
            return [
                "dropped the collection users",
                "deleted \(deleted.grouped) documents of session_bookings",
                "overwrote the amount of \(overwritten.grouped) payments",
                "added \(added.grouped) junk documents to messages",
                "dropped the index coach_id_1_rating_-1 of reviews",
            ]
        }
    }

    /// Identifiers of bookings grow with time, so the middle one parts them.
    private func deleteHalf(
        of name: String, _ connection: MongoConnection
    ) async throws -> Int {
        guard let collection = dataSet.collection(named: name), collection.documentCount > 0,
            let middle = try collection.document(at: collection.documentCount / 2).first("_id")
        else { return 0 }
        let older = BSONDocument {
            $0.append("_id", BSONDocument { $0.append("$lt", middle) })
        }
        let statement = BSONDocument {
            $0.append("q", older)
            $0.append("limit", Int32(0))
        }
        let command = BSONDocument {
            $0.append("delete", name)
            $0.append("deletes", array: [statement])
        }
        return try await connection.write(command, on: database).documentCount
    }

    private func overwrite(_ name: String, _ connection: MongoConnection) async throws -> Int {
        let free = BSONDocument {
            $0.append("$set", BSONDocument { $0.append("amount", Int32(0)) })
        }
        let statement = BSONDocument {
            $0.append("q", BSONDocument())
            $0.append("u", free)
            $0.append("multi", true)
        }
        let command = BSONDocument {
            $0.append("update", name)
            $0.append("updates", array: [statement])
        }
        return try await connection.write(command, on: database).modifiedCount
    }

    private func addJunk(to name: String, _ connection: MongoConnection) async throws -> Int {
        let junk = (0..<1000).flatMap { number in
            BSONDocument {
                $0.append("_id", "junk \(number)")
                $0.append("body", "written by a test that was pointed at production")
            }.bytes
        }
        return try await connection.insert(
            junk[...], into: name, on: database, options: InsertOptions()
        ).documentCount
    }
}

extension MongoConnection {
    fileprivate func write(
        collection: String, dropIndex index: String, on database: String
    ) throws {
        let command = BSONDocument {
            $0.append("dropIndexes", collection)
            $0.append("index", index)
        }
        _ = try run(command, on: database, as: .write)
    }
}
