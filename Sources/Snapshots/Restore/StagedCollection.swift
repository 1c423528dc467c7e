internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that is replaced: loaded beside the live one, indexed, counted and compared, and
/// then put in its place by one rename. Until then the live one stands as it was.
struct StagedCollection: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    let keepsOrder: Bool
    var canBeKept: Bool { true }
    private let claim: StagingClaim
    let staging: Namespace
    /// Writes what is missing when a server has lost what it had acknowledged; nil without an
    /// index, and where the order of documents is to be kept.
    private let patch: DocumentPatch?
    private let definition: CollectionDefinition
    private let inserter: ExactInserter
    private let context: RestoreContext

    /// - Parameters:
    ///   - documents: the archive's; nil for one without an index.
    init(
        _ choice: RestorePlan.Choice, _ documents: ArchivedDocuments?, _ options: Restore.Options,
        _ context: RestoreContext
    ) throws {
        source = choice.descriptor
        namespace = choice.target
        keepsOrder = try choice.descriptor.options.first("capped")?.isTruthy ?? false
        claim = StagingClaim(for: keepsOrder ? nil : context.load(of: choice))
        let staging = Namespace(choice.target.database, claim.name.description)
        let definition = try CollectionDefinition(choice.descriptor)
        self.staging = staging
        self.definition = definition
        patch =
            keepsOrder
            ? nil
            : documents.map { documents in
                DocumentPatch(
                    documents: documents, namespace: staging, definition: definition,
                    options: options, context: context)
            }
        inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: keepsOrder, ownsCollection: true)
        self.context = context
    }

    func prepare() async throws {
        try await context.endurance.run { _ in
            do {
                try await context.pool.withConnection { connection in
                    try await connection.createCollection(
                        staging.collection, in: staging.database,
                        options: definition.optionsWithoutExpiry)
                }
            } catch let error as MongoError where error.code == .namespaceExists {
                // Its name is nobody else's, so it was made before an outage.
                return
            }
        }
    }

    /// Goes on with what another restore of the same has left: it is this one's from now on.
    func adopt(_ leftover: Namespace) async throws {
        try await context.pool.withConnection { connection in
            try await connection.renameCollection(
                from: leftover.description, to: staging.description, dropTarget: false)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        try await inserter.load(documents, of: source.namespace)
    }

    /// Writes what is missing of the documents, proves that they are the archive's, and builds the
    /// indexes: for a collection that may hold any part of them.
    ///
    /// - Returns: what was written; nil without an index.
    func mend() async throws -> LoadOutcome? {
        guard let patch else { return nil }
        do {
            return try await patch.run(isOwn: true)
        } catch let refusal as DocumentPatch.Refusal {
            throw SnapshotError(.refused, refusal.reason)
        }
    }

    func complete(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        if context.continuity.isBroken, patch != nil {
            // What a server has acknowledged before may be lost.
            try await prepare()
            _ = try await mend()
            return nil
        }
        try await context.endurance.run { _ in try await checkAndIndex(totals) }
        return nil
    }

    private func checkAndIndex(_ totals: DocumentTotals) async throws {
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
        try await rename(writeConcern: nil)
    }

    /// Puts it in the live one's place.
    ///
    /// - Parameter writeConcern: nil takes the connection string's.
    func rename(writeConcern: BSONDocument?) async throws {
        try await context.endurance.run { isRepetition in
            if isRepetition, try await !isThere() { return }
            if let keeping = context.keeping {
                try await CollectionSwap(live: namespace, keeping: keeping, pool: context.pool)
                    .run(with: staging.collection)
                return
            }
            try await context.pool.withConnection { connection in
                try await connection.renameCollection(
                    from: staging.description, to: namespace.description, dropTarget: true,
                    writeConcern: writeConcern)
            }
        }
    }

    /// Whether it was not put in place yet.
    private func isThere() async throws -> Bool {
        try await context.pool.withConnection { connection in
            try await connection.collections(in: staging.database).contains {
                $0.name == staging.collection
            }
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
