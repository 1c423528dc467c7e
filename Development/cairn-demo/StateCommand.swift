import ArgumentParser
import BSONBytes
import MongoDriver

/// What a database holds, in a form that can be compared: for tests that have no driver.
struct StateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Read a database to its end and print, for each collection, its name, documents, "
            + "bytes, indexes and a fingerprint of all documents.")

    @Option(help: "Connection string of the server.")
    var uri: String

    @Argument(help: "The database.")
    var database: String

    private static let connectionCount = 2

    func run() async throws {
        let pool = try MongoPool(
            uri: try MongoURI(uri), connectionCountMax: Self.connectionCount)
        defer { pool.close() }
        let state = try await DatabaseState(reading: database, pool)
        for (name, collection) in state.collections.sorted(by: { $0.key < $1.key }) {
            Terminal.say(
                "\(name)\t\(collection.documentCount)\t\(collection.byteCount)"
                    + "\t\(collection.indexes.count)\t\(collection.fingerprint.hexadecimal)")
        }
    }
}
