import ArchiveEngine
import BSONBytes
import MongoDriver
import PrivateServer
import SampleData
import Synchronization

/// A private server with the sample data in one database.
struct DemoServer: Sendable {
    static let database = "cairn_demo"

    /// Documents of one insert job.
    private static let jobDocumentCount = 5000
    private static let connectionCount = 4

    let dataSet: SampleDataSet
    let pool: MongoPool
    /// Goes, with its data, when the last copy of this value does.
    private let server: PrivateServer

    /// Starts an empty server.
    init(documentCount: Int, seed: UInt64) async throws {
        dataSet = SampleDataSet(seed: seed, documentCount: documentCount)
        var options = PrivateServer.Options()
        options.cacheGB = 1
        server = try await PrivateServer(options)
        pool = try MongoPool(uri: server.uri, connectionCountMax: Self.connectionCount)
    }

    /// What to type behind `--uri`.
    var uri: String { server.uri.description }

    /// Creates the collections, inserts their documents on several connections, builds the indexes.
    func load() async throws {
        for collection in dataSet.collections {
            try await pool.withConnection { connection in
                try await connection.createCollection(
                    collection.name, in: Self.database, options: collection.options)
            }
        }
        var jobs = makeJobs()[...]
        try await withOrderedWindow(
            width: Self.connectionCount, next: { jobs.popFirst() },
            transform: { (job: LoadJob) in try await insert(job) }, deliver: { _ in })
        var collections = dataSet.collections[...]
        try await withOrderedWindow(
            width: Self.connectionCount, next: { collections.popFirst() },
            transform: { (collection: SampleCollection) in
                try await pool.withConnection { connection in
                    try await connection.createIndexes(
                        collection.indexes, of: collection.name, in: Self.database)
                }
            }, deliver: { _ in })
    }

    /// A part of a collection.
    private struct LoadJob: Sendable {
        let collection: SampleCollection
        let range: Range<Int>
    }

    private func makeJobs() -> [LoadJob] {
        dataSet.collections.flatMap { collection in
            stride(from: 0, to: collection.documentCount, by: Self.jobDocumentCount).map { start in
                let end = min(collection.documentCount, start + Self.jobDocumentCount)
                return LoadJob(collection: collection, range: start..<end)
            }
        }
    }

    private func insert(_ job: LoadJob) async throws {
        let documents = job.collection.documents(job.range)
        let result = try await pool.withConnection { connection in
            try await connection.insert(
                documents[...], into: job.collection.name, on: Self.database,
                options: InsertOptions())
        }
        if let error = result.errors.first {
            throw DemoError("loading \(job.collection.name) failed: \(error)")
        }
    }
}
