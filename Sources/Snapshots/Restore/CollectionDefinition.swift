internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Options and indexes of a collection as a server takes them: almost always as they are, with what old servers wrote and
/// modern ones refuse brought up to date (reference: mongorestore does the same).
struct CollectionDefinition: Sendable {
    let options: BSONDocument
    /// All indexes but the one on `_id` that every collection has.
    let indexes: [BSONDocument]

    init(_ descriptor: NamespaceDescriptor, for server: ServerInfo) throws {
        var options = BSONBuilder()
        let isClustered = try descriptor.options.first("clusteredIndex") != nil
        for element in try descriptor.options.elements() {
            switch element.name {
            // Refused by servers since 4.0, outside of the database local.
            case "autoIndexId" where descriptor.namespace.database != "local": continue
            // Decided by the server.
            case "recordIdsReplicated", "uuid": continue
            default: options.append(element)
            }
        }
        let idIndex = try descriptor.indexes.first { try Self.isDefault($0) }
        if let idIndex, !isClustered, descriptor.type != .timeseries,
            try descriptor.options.first("autoIndexId") == nil
        {
            options.append("idIndex", try Self.modernised(idIndex))
        }
        self.options = options.document
        indexes = try descriptor.indexes.filter { index in
            try !Self.isDefault(index) && index.first("clustered") == nil
        }.map(Self.modernised)
    }

    /// The index on `_id` that a server makes by itself: one ascending key, nothing partial.
    private static func isDefault(_ index: BSONDocument) throws -> Bool {
        guard let key = try index.first("key")?.document else { return false }
        let elements = try key.elements()
        guard elements.count == 1, elements[0].name == "_id", try index.first("clustered") == nil
        else { return false }
        let value = elements[0].value
        let isAscending = value.wholeNumber == 1 || value.type == .bool || value.string == ""
        return try isAscending && index.first("partialFilterExpression") == nil
    }

    private static func modernised(_ index: BSONDocument) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try index.elements() {
                switch element.name {
                // The namespace that old servers wrote: it would be the wrong one in a staging collection.
                case "ns": continue
                // Index version 0 can't be built any more.
                case "v" where element.value.wholeNumber == 0: continue
                default: builder.append(element)
                }
            }
        }
    }
}

extension MongoConnection {
    /// Builds what a collection still lacks of its indexes.
    ///
    /// - Returns: what is different from what was wanted, one sentence each.
    nonisolated func buildIndexes(
        _ wanted: [BSONDocument], of collection: String, in database: String
    ) async throws -> [String] {
        let present = try await indexes(of: collection, in: database)
        let names = Set(try present.map { try $0.first("name")?.string ?? "" })
        let missing = try wanted.filter { !names.contains(try $0.first("name")?.string ?? "") }
        try await createIndexes(missing, of: collection, in: database)
        let built = Set(try await indexes(of: collection, in: database))
        return try wanted.filter { !built.contains($0) }.map { index in
            "index \(try index.first("name")?.string ?? "") of \(database).\(collection) is not "
                + "exactly as in the archive: the server describes it differently"
        }
    }
}
