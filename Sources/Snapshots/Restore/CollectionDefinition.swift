internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Options and indexes of a collection as a server takes them: almost always as they are, with what
/// old servers wrote and modern ones refuse brought up to date (reference: mongorestore does the
/// same).
struct CollectionDefinition: Sendable {
    let options: BSONDocument
    /// When the documents of a clustered or time series collection expire: part of the options.
    let expiry: BSONValue?
    /// All indexes but the one on `_id` that every collection has.
    let indexes: [BSONDocument]

    init(_ descriptor: NamespaceDescriptor) throws {
        var options = BSONBuilder()
        for element in try descriptor.options.elements() {
            switch element.name {
            // Refused by servers since 4.0, outside of the database local.
            case "autoIndexId" where descriptor.namespace.database != "local": continue
            // Decided by the server, or refused.
            case "recordIdsReplicated", "uuid", "temp": continue
            default: options.append(element)
            }
        }
        // The only way to an index on _id of the old version; any other is as the server makes it.
        if let idIndex = try descriptor.indexes.first(where: { try Self.isDefault($0) }),
            try idIndex.first("v")?.wholeNumber == 1
        {
            options.append("idIndex", try Self.modernised(idIndex, hasCollation: false))
        }
        let hasCollation = try descriptor.options.first("collation") != nil
        self.options = options.document
        expiry = try descriptor.options.first("expireAfterSeconds")
        indexes = try descriptor.indexes.filter { index in
            try !Self.isDefault(index) && index.first("clustered") == nil
        }.map { try Self.modernised($0, hasCollation: hasCollation) }
    }

    /// Options to load with: a server must not take out expired documents before they are compared.
    var optionsWithoutExpiry: BSONDocument {
        get throws {
            try BSONDocument { builder in
                for element in try options.elements() where element.name != "expireAfterSeconds" {
                    builder.append(element)
                }
            }
        }
    }

    /// The same for a collection that changes are replayed on: it is made capped afterwards, for a
    /// server would take out documents while older ones are put back that are deleted again later.
    var optionsWhileReplayed: BSONDocument {
        get throws {
            try BSONDocument { builder in
                for element in try optionsWithoutExpiry.elements()
                where !["capped", "size", "max"].contains(element.name) {
                    builder.append(element)
                }
            }
        }
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

    /// - Parameter hasCollation: whether the collection has a collation of its own. An index
    ///   without one is then listed as if it had none to state, but made anew it would take the
    ///   collection's.
    private static func modernised(
        _ index: BSONDocument, hasCollation: Bool
    ) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try index.elements() {
                switch element.name {
                // The namespace that old servers wrote: the wrong one in a staging collection.
                case "ns": continue
                // Index version 0 can't be built any more.
                case "v" where element.value.wholeNumber == 0: continue
                default: builder.append(element)
                }
            }
            if hasCollation, try index.first("collation") == nil {
                builder.append("collation", BSONDocument { $0.append("locale", "simple") })
            }
        }
    }
}

extension MongoConnection {
    /// Decides when documents of a clustered or time series collection expire; nil is never.
    func setExpiry(_ expiry: BSONValue?, of collection: String, in database: String) throws {
        let command = BSONDocument {
            $0.append("collMod", collection)
            if let expiry {
                $0.append("expireAfterSeconds", expiry)
            } else {
                $0.append("expireAfterSeconds", "off")
            }
        }
        _ = try run(command, on: database, as: .write)
    }

    /// Builds what a collection still lacks of its indexes.
    ///
    /// - Returns: what is different from what was wanted, one sentence each.
    nonisolated func buildIndexes(
        _ wanted: [BSONDocument], of collection: String, in database: String
    ) async throws -> [String] {
        guard !wanted.isEmpty else { return [] }
        let present = try await indexes(of: collection, in: database)
        let names = Set(try present.map { try $0.first("name")?.string ?? "" })
        let missing = try wanted.filter { !names.contains(try $0.first("name")?.string ?? "") }
        try await createIndexes(missing, of: collection, in: database)
        return try await indexDifferences(from: wanted, of: collection, in: database)
    }

    /// What is different from the indexes that were wanted, one sentence each.
    nonisolated func indexDifferences(
        from wanted: [BSONDocument], of collection: String, in database: String
    ) async throws -> [String] {
        guard !wanted.isEmpty else { return [] }
        let built = try await indexes(of: collection, in: database)
        let different = try wanted.filter { index in
            let listed = try index.asListed
            return try !built.contains { try $0.hasSameFields(as: listed) }
        }
        return try different.map { index in
            "index \(try index.first("name")?.string ?? "") of \(database).\(collection) is not "
                + "exactly as in the archive: the server describes it differently"
        }
    }
}

extension BSONDocument {
    /// All fields, whatever their order: servers list those of an index in another one than their
    /// oplogs do.
    private var fields: Set<BSONElement> {
        get throws { Set(try elements()) }
    }

    /// Whether both have the same fields with the same values, in whatever order.
    func hasSameFields(as other: BSONDocument) throws -> Bool { try fields == other.fields }

    /// An index as a server lists it: without a simple collation.
    var asListed: BSONDocument {
        get throws {
            try BSONDocument { builder in
                for element in try elements() {
                    let isSimple = try element.value.document?.first("locale")?.string == "simple"
                    if element.name == "collation", isSimple { continue }
                    builder.append(element)
                }
            }
        }
    }
}
