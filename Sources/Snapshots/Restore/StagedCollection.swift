internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that is replaced: loaded beside the live one, indexed, counted and compared, and
/// then put in its place by one rename. Until then the live one stands as it was.
struct StagedCollection: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    let keepsOrder: Bool
    private let claim = StagingClaim()
    private let staging: Namespace
    private let definition: CollectionDefinition
    private let inserter: ExactInserter
    private let context: RestoreContext

    init(_ choice: RestorePlan.Choice, _ context: RestoreContext) throws {
        source = choice.descriptor
        namespace = choice.target
        keepsOrder = try choice.descriptor.options.first("capped")?.isTruthy ?? false
        staging = Namespace(
            choice.target.database, claim.name.description)
        definition = try CollectionDefinition(choice.descriptor)
        inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: keepsOrder)
        self.context = context
    }

    func prepare() async throws {
        try await context.pool.withConnection { connection in
            try await connection.createCollection(
                staging.collection, in: staging.database, options: definition.optionsWithoutExpiry)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        try await inserter.load(documents, of: source.namespace)
    }

    func complete(_ totals: DocumentTotals) async throws {
        // Before the indexes, for one of them may make documents expire.
        try await StoredDocuments(namespace: staging, pool: context.pool)
            .check(against: totals, of: source.namespace)
        let differences = try await context.pool.withConnection { connection in
            if let expiry = definition.expiry {
                try await connection.setExpiry(
                    expiry, of: staging.collection, in: staging.database)
            }
            return try await connection.buildIndexes(
                definition.indexes, of: staging.collection, in: staging.database)
        }
        for difference in differences { context.observer.noticed(difference) }
    }

    func commit() async throws {
        try await context.pool.withConnection { connection in
            try await connection.renameCollection(
                from: staging.description, to: namespace.description, dropTarget: true)
        }
    }

    func abandon() async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }
}
