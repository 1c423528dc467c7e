import ArchiveEngine
import BSONBytes
import MongoDriver

/// All that a restore must bring back, measured by reading every document.
struct DatabaseState: Equatable, Sendable {
    struct Collection: Equatable, Sendable {
        var documentCount = 0
        var byteCount = 0
        /// Whatever the order of the documents.
        var fingerprint = DocumentFingerprint()
        var options: BSONDocument
        /// By name.
        var indexes: [String: BSONDocument] = [:]
    }

    private(set) var collections: [String: Collection] = [:]

    var documentCount: Int { collections.values.reduce(0) { $0 + $1.documentCount } }
    var byteCount: Int { collections.values.reduce(0) { $0 + $1.byteCount } }
    var indexCount: Int { collections.values.reduce(0) { $0 + $1.indexes.count } }

    /// Reads a database to its end.
    init(reading database: String, _ pool: MongoPool) async throws {
        var infos = try await pool.withConnection { connection in
            try await connection.collections(in: database)
        }[...]
        var collections: [String: Collection] = [:]
        try await withOrderedWindow(
            width: pool.connectionCountMax, next: { infos.popFirst() },
            transform: { (info: CollectionInfo) in
                try await pool.withConnection { connection in
                    (info.name, try await Self.read(info, database, connection))
                }
            }, deliver: { collections[$0.0] = $0.1 })
        self.collections = collections
    }

    private static func read(
        _ info: CollectionInfo, _ database: String, _ connection: MongoConnection
    ) async throws -> Collection {
        var collection = Collection(options: info.options)
        for index in try await connection.indexes(of: info.name, in: database) {
            collection.indexes[try index.require("name", \.string)] = index
        }
        let request = FindRequest(database: database, collection: info.name)
        return try await connection.withCursor(request) { cursor in
            while let batch = try await cursor.nextBatch() {
                try batch.forEachDocument { document in
                    collection.documentCount += 1
                    collection.byteCount += document.count
                    collection.fingerprint.add(document)
                }
            }
            return collection
        }
    }
}

extension DatabaseState {
    /// What is not as it was, by collection; nothing for those that are equal.
    func differences(from original: DatabaseState) -> [(collection: String, what: String)] {
        Set(collections.keys).union(original.collections.keys).sorted().compactMap { name in
            guard let before = original.collections[name] else { return (name, "was not there") }
            guard let now = collections[name] else { return (name, "is gone") }
            let parts = now.differences(from: before)
            return parts.isEmpty ? nil : (name, parts.joined(separator: ", "))
        }
    }
}

extension DatabaseState.Collection {
    fileprivate func differences(from original: Self) -> [String] {
        var parts: [String] = []
        if documentCount != original.documentCount {
            parts.append(
                "\(documentCount.grouped) documents instead of \(original.documentCount.grouped)")
        } else if fingerprint != original.fingerprint {
            parts.append("same number of documents, another fingerprint")
        }
        if options != original.options { parts.append("other options") }
        for name in Set(indexes.keys).union(original.indexes.keys).sorted() {
            switch (original.indexes[name], indexes[name]) {
            case (_?, nil): parts.append("index \(name) is gone")
            case (nil, _?): parts.append("index \(name) was not there")
            case let (before, now): if before != now { parts.append("index \(name) differs") }
            }
        }
        return parts
    }
}
