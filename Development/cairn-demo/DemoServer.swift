import ArchiveEngine
import BSONBytes
import MongoDriver
import PrivateServer
import SampleData

/// A private server that sample data is loaded into.
struct DemoServer: Sendable {
    /// Where the data goes unless asked otherwise.
    static let database = "cairn_demo"

    /// Bytes of one insert job, about.
    private static let jobByteCount = 4 << 20
    private static let connectionCount = 4

    let pool: MongoPool
    /// Goes, with its data, when the last copy of this value does.
    private let server: PrivateServer

    /// Starts an empty server.
    ///
    /// - Parameter cacheGB: memory for the storage engine's cache.
    init(cacheGB: Double = 1) async throws {
        var options = PrivateServer.Options()
        options.cacheGB = cacheGB
        server = try await PrivateServer(options)
        pool = try MongoPool(uri: server.uri, connectionCountMax: Self.connectionCount)
    }

    /// What to type behind `--uri`.
    var uri: String { server.uri.description }

    /// Creates the collections, inserts their documents on several connections, builds the indexes.
    func load(_ dataSet: SampleDataSet, into database: String = Self.database) async throws {
        try await forEach(dataSet.collections) { collection, connection in
            try await connection.createCollection(
                collection.name, in: database, options: collection.options)
        }
        try await forEach(try dataSet.collections.flatMap(makeJobs)) { job, connection in
            let documents = job.collection.documents(job.range)
            let result = try await connection.insert(
                documents[...], into: job.collection.name, on: database, options: InsertOptions())
            if let error = result.errors.first {
                throw DemoError("loading \(job.collection.name) failed: \(error)")
            }
        }
        try await forEach(dataSet.collections) { collection, connection in
            try await connection.createIndexes(
                collection.indexes, of: collection.name, in: database)
        }
    }

    /// A part of a collection.
    private struct LoadJob: Sendable {
        let collection: SampleCollection
        let range: Range<Int>
    }

    private func makeJobs(_ collection: SampleCollection) throws -> [LoadJob] {
        guard collection.documentCount > 0 else { return [] }
        let step = max(1, Self.jobByteCount / (try collection.document(at: 0).bytes.count))
        return stride(from: 0, to: collection.documentCount, by: step).map { start in
            LoadJob(
                collection: collection, range: start..<min(collection.documentCount, start + step))
        }
    }

    /// Does something with each element, several at a time, each on a connection of its own.
    private func forEach<Element: Sendable>(
        _ elements: [Element],
        _ body: @escaping @Sendable (Element, MongoConnection) async throws -> Void
    ) async throws {
        var left = elements[...]
        try await withOrderedWindow(
            width: Self.connectionCount, next: { left.popFirst() },
            transform: { (element: Element) in
                try await pool.withConnection { try await body(element, $0) }
            }, deliver: { _ in })
    }
}
