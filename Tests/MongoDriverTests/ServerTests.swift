import BSONBytes
import MongoDriver
import PrivateServer
import Testing

/// Suites that need a server belong in here: they are skipped, and say so, where there is none.
@Suite(.enabled(if: PrivateServer.isAvailable, "\(PrivateServer.unavailableMessage)"))
enum ServerTests {}

/// Calls `body` with a connection to the shared server and a database that nobody else uses.
func withDatabase<Result>(
    _ body: (MongoConnection, String) async throws -> Result
) async throws -> Result {
    let server = try await PrivateServer.shared()
    let pool = try MongoPool(uri: server.uri, connectionCountMax: 2)
    let database = "test_\(UInt64.random(in: 0...UInt64.max))"
    return try await pool.withConnection { connection in
        do {
            let result = try await body(connection, database)
            try await connection.dropDatabase(database)
            return result
        } catch {
            try await connection.dropDatabase(database)
            throw error
        }
    }
}

/// Documents with an `_id` counting from zero and a payload of so many bytes.
func makeDocuments(_ count: Int, payload: Int = 16) -> [BSONDocument] {
    (0..<count).map { number in
        BSONDocument {
            $0.append("_id", Int32(number))
            $0.append("payload", binary: [UInt8](repeating: 1, count: payload), subtype: 0)
        }
    }
}

/// Their bytes, one after another.
func run(of documents: [BSONDocument]) -> ArraySlice<UInt8> {
    documents.flatMap(\.bytes)[...]
}

/// All that is left in a cursor, and how many batches it came in.
func drain(_ cursor: MongoCursor) async throws -> (documents: [BSONDocument], batchCount: Int) {
    var documents: [BSONDocument] = []
    var batchCount = 0
    while let batch = try await cursor.nextBatch() {
        documents += try batch.documents()
        batchCount += 1
    }
    return (documents, batchCount)
}
