internal import BSONBytes
internal import MongoDriver

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

    /// Builds what a collection still lacks of the definition's indexes.
    ///
    /// - Returns: the names of those that are not what was wanted.
    nonisolated func buildIndexes(
        _ definition: CollectionDefinition, of collection: String, in database: String,
        _ rules: DefinitionRules
    ) async throws -> [String] {
        let wanted = definition.indexes
        guard !wanted.isEmpty else { return [] }
        let present = try await indexes(of: collection, in: database)
        let names = Set(try present.map { try $0.nameBytes })
        let missing = try wanted.filter { !names.contains(try $0.nameBytes) }
        try await createIndexes(
            missing.map { try definition.asBuilt($0) }, of: collection, in: database,
            ignoresUnknownOptions: rules.letsServerIgnoreOptions)
        return try await indexDifferences(from: wanted, of: collection, in: database, rules)
    }

    /// The names of indexes that are missing, or that mean something else than was wanted.
    nonisolated func indexDifferences(
        from wanted: [BSONDocument], of collection: String, in database: String,
        _ rules: DefinitionRules
    ) async throws -> [String] {
        guard !wanted.isEmpty else { return [] }
        let built = try await indexes(of: collection, in: database)
        let present = try built.map { try CanonicalDefinition.index($0) }
        let different = try wanted.filter { index in
            let index = try CanonicalDefinition.index(index)
            return try !present.contains {
                try CanonicalDefinition.isBuilt(index, as: $0, rules)
            }
        }
        return try different.map { try $0.first("name")?.string ?? "" }
    }
}

extension BSONDocument {
    /// The name of an index, which servers compare byte by byte.
    var nameBytes: [UInt8] {
        get throws { Array((try first("name")?.string ?? "").utf8) }
    }

    /// Options of an index that servers list as whole numbers, whatever they were given.
    private static let wholeNumbers: Set<String> = [
        "v", "bits", "2dsphereIndexVersion", "textIndexVersion", "expireAfterSeconds",
        "finestIndexedLevel", "coarsestIndexedLevel",
    ]
    private static let flags: Set<String> = [
        "unique", "sparse", "background", "hidden", "prepareUnique",
    ]

    /// All fields, whatever their order: servers list those of an index in another one than their
    /// oplogs do.
    private var fields: Set<BSONElement> {
        get throws { Set(try elements()) }
    }

    /// Whether both have the same fields with the same values, in whatever order.
    func hasSameFields(as other: BSONDocument) throws -> Bool { try fields == other.fields }

    /// An index as a server lists it: without a simple collation, with the types of numbers and
    /// flags that servers list; what is false is not stated.
    var asListed: BSONDocument {
        get throws {
            try BSONDocument { builder in
                for element in try elements() {
                    let (name, value) = (element.name, element.value)
                    let isSimple = try value.document?.first("locale")?.string == "simple"
                    if name == "collation", isSimple { continue }
                    if Self.flags.contains(name), value.bool != nil || value.nearestDouble != nil {
                        if value.isTruthy { builder.append(name, true) }
                    } else if Self.wholeNumbers.contains(name), let number = value.nearestDouble,
                        let whole = Int64(exactly: number.rounded(.towardZero))
                    {
                        builder.append(name, whole)
                    } else if ["min", "max"].contains(name), let number = value.nearestDouble {
                        builder.append(name, number)
                    } else {
                        builder.append(element)
                    }
                }
            }
        }
    }
}
