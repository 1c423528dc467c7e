internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that is replaced: loaded beside the live one, indexed, counted and compared, and then put in its place by one
/// rename. Until then the live one stands as it was.
struct StagedCollection: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    let keepsOrder: Bool
    private let staging: Namespace
    private let definition: CollectionDefinition
    private let inserter: ExactInserter
    private let context: RestoreContext

    init(_ choice: RestorePlan.Choice, number: Int, _ context: RestoreContext) throws {
        source = choice.descriptor
        namespace = choice.target
        keepsOrder = try choice.descriptor.options.first("capped")?.isTruthy ?? false
        staging = Namespace(
            choice.target.database, StagingName(number: number).description)
        definition = try CollectionDefinition(choice.descriptor, for: context.server)
        inserter = ExactInserter(
            pool: context.pool, server: context.server, namespace: staging,
            isOrdered: keepsOrder)
        self.context = context
    }

    func prepare() async throws {
        try await context.pool.withConnection { connection in
            try await connection.createCollection(
                staging.collection, in: staging.database, options: definition.options)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        let result = try await inserter.insert(documents)
        if let failure = result.errors.first {
            throw SnapshotError(
                .refused, "the server refused a document of \(source.namespace): \(failure)")
        }
        var outcome = LoadOutcome()
        outcome.insertedCount = UInt64(result.documentCount)
        return outcome
    }

    func complete(_ totals: DocumentTotals) async throws {
        let differences = try await context.pool.withConnection { connection in
            try await connection.buildIndexes(
                definition.indexes, of: staging.collection, in: staging.database)
        }
        for difference in differences { context.observer.noticed(difference) }
        try await StoredDocuments(namespace: staging, pool: context.pool)
            .check(against: totals, of: source.namespace)
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

/// What a server really holds, read back from the primary.
struct StoredDocuments {
    let namespace: Namespace
    let pool: MongoPool

    /// Count and fingerprint of a collection as it is now. Cost: one scan.
    func totals() async throws -> (documentCount: UInt64, fingerprint: DocumentFingerprint) {
        let command = BSONDocument {
            $0.append("find", namespace.collection)
            $0.append("hint", BSONDocument { $0.append("$natural", Int32(1)) })
            $0.append("batchSize", FindRequest.batchDocumentCountMax)
        }
        return try await pool.withConnection { connection in
            try await connection.withCursor(command, on: namespace.database, as: .primary) {
                cursor in
                var documentCount: UInt64 = 0
                var fingerprint = DocumentFingerprint()
                var waiting = try await cursor.nextBatch()
                while let batch = waiting {
                    async let following = cursor.nextBatch()
                    try batch.forEachDocument { document in
                        documentCount += 1
                        fingerprint.add(document)
                    }
                    waiting = try await following
                }
                return (documentCount, fingerprint)
            }
        }
    }

    /// Compares with what an archive held.
    ///
    /// - Throws: `notEqual`.
    func check(against expected: DocumentTotals, of source: Namespace) async throws {
        let found = try await totals()
        guard found.documentCount == expected.documentCount else {
            throw SnapshotError(
                .notEqual,
                "\(source) was loaded with \(found.documentCount) documents instead of "
                    + "\(expected.documentCount); the live collection was left as it was")
        }
        guard found.fingerprint == expected.fingerprint else {
            throw SnapshotError(
                .notEqual,
                "documents of \(source) are not byte for byte those of the archive after loading; "
                    + "the live collection was left as it was")
        }
    }
}
