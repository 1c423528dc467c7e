internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that is replaced: loaded beside the live one, indexed, counted and compared, and
/// then put in its place by one rename. Until then the live one stands as it was.
struct StagedCollection: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    let keepsOrder: Bool
    let place: StagingPlace?
    private let staging: Namespace
    private let duplicates: LoadedTwice?
    private let definition: CollectionDefinition
    private let inserter: ExactInserter
    private let context: RestoreContext

    /// - Parameter place: the collection beside the live one, when it is there already.
    init(
        _ choice: RestorePlan.Choice, _ context: RestoreContext, in place: StagingPlace? = nil
    ) throws {
        source = choice.descriptor
        namespace = choice.target
        keepsOrder = try choice.descriptor.options.first("capped")?.isTruthy ?? false
        let place = place ?? StagingPlace(in: choice.target.database)
        self.place = place
        staging = place.namespace
        duplicates = choice.isReplayed ? LoadedTwice() : nil
        definition = try CollectionDefinition(choice.descriptor)
        inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: keepsOrder, ownsCollection: true)
        self.context = context
    }

    func prepare() async throws {
        try await context.pool.withConnection { connection in
            try await connection.createCollection(
                staging.collection, in: staging.database,
                options: duplicates == nil
                    ? definition.optionsWithoutExpiry : definition.optionsWhileReplayed)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        try await inserter.load(documents, of: source.namespace, duplicates)
    }

    // Before the indexes, for one of them may make documents expire.
    func compare(_ totals: DocumentTotals) async throws {
        try await StoredDocuments(namespace: staging, pool: context.pool)
            .check(against: duplicates?.removed(from: totals) ?? totals, of: source.namespace)
    }

    func complete() async throws {
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
        try await rename(writeConcern: nil)
    }

    /// Puts it in the live one's place.
    ///
    /// - Parameter writeConcern: nil takes the connection string's.
    func rename(writeConcern: BSONDocument?) async throws {
        try await context.pool.withConnection { connection in
            try await connection.renameCollection(
                from: staging.description, to: namespace.description, dropTarget: true,
                writeConcern: writeConcern)
        }
    }

    func abandon() async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }
}

/// As part of a transaction, for collections whose documents are all at hand.
extension StagedCollection {
    /// Makes, indexes, fills and compares it.
    ///
    /// - Throws: `notEqual`, `refused`, `MongoError`.
    func load(
        _ documents: ArraySlice<UInt8>, _ totals: DocumentTotals, in transaction: MongoTransaction
    ) async throws {
        let database = staging.database
        _ = try await transaction.run(
            BSONDocument { builder in
                builder.append("create", staging.collection)
                for element in try definition.options.elements() { builder.append(element) }
            }, on: database)
        if !definition.indexes.isEmpty {
            // Before the documents: a transaction only indexes what is empty.
            let command = BSONDocument {
                $0.append("createIndexes", staging.collection)
                $0.append("indexes", array: definition.indexes)
            }
            _ = try await transaction.run(command, on: database)
        }
        guard totals.documentCount > 0 else { return }
        var options = InsertOptions()
        options.bypassDocumentValidation = true
        options.bypassEmptyTimestampReplacement = context.server.keepsEmptyTimestamps
        do {
            try await transaction.insert(
                documents, into: staging.collection, on: database, options: options)
        } catch let error as WriteError {
            throw SnapshotError.refused(error, of: source.namespace)
        }
        let command = BSONDocument {
            $0.append("find", staging.collection)
            $0.append("batchSize", FindRequest.batchDocumentCountMax)
        }
        var found = StoredDocuments.Totals()
        for document in try await transaction.documents(command, on: database) {
            document.bytes.withUnsafeBytes { found.add($0) }
        }
        try found.check(against: totals, of: source.namespace)
    }

    /// Tells which indexes the server describes in another way than the archive.
    func tellIndexDifferences(_ connection: MongoConnection) async throws {
        guard !definition.indexes.isEmpty else { return }
        let differences = try await connection.indexDifferences(
            from: definition.indexes, of: staging.collection, in: staging.database)
        for difference in differences { context.observer.noticed(difference) }
    }
}
