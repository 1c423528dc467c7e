import ArgumentParser
import BSONBytes
import MongoDriver

/// Between two measurements, so that each finds the same server: nothing is left to be written
/// behind its back.
struct SettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Have a server write to disk what it has only in memory.")

    @Option(help: "Connection string of the server.")
    var uri: String

    @Option(help: "A database to drop before.")
    var drop: String?

    func run() async throws {
        let pool = try MongoPool(uri: try MongoURI(uri), connectionCountMax: 1)
        let database = drop
        try await pool.withConnection { connection in
            if let database { try await connection.dropDatabase(database) }
            let checkpoint = BSONDocument { $0.append("fsync", Int32(1)) }
            _ = try await connection.run(checkpoint, on: "admin")
        }
    }
}
