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
    let staging: Namespace
    /// Writes what is missing when a server has lost what it had acknowledged; nil without an
    /// index, where the order of documents is to be kept, and where an oplog is replayed.
    private let patch: DocumentPatch?
    private let duplicates: LoadedTwice?
    private let definition: CollectionDefinition
    private let bypassesValidation: Bool
    private let inserter: ExactInserter
    private let context: RestoreContext
    /// Servers make no collection whose name has `.system.` in it, as the one would have that
    /// stands for none.
    var canBeKept: Bool { namespace.collection != "system.js" }
    var stagesDefinition: Bool { true }

    /// Nil when what it displaces is not kept.
    private var keeping: Keeping? { canBeKept ? context.keeping : nil }

    /// - Parameters:
    ///   - documents: the archive's; nil for one without an index.
    ///   - place: the collection beside the live one, when it is there already.
    init(
        _ choice: RestorePlan.Choice, _ documents: ArchivedDocuments?, _ options: Restore.Options,
        _ context: RestoreContext, in place: StagingPlace? = nil
    ) throws {
        source = choice.descriptor
        namespace = choice.target
        keepsOrder = try choice.descriptor.options.first("capped")?.isTruthy ?? false
        let canBePatched = !keepsOrder && !choice.isReplayed
        let load = canBePatched ? context.load(of: choice) : nil
        let place = place ?? StagingPlace(beside: choice.target, for: load)
        self.place = place
        let (staging, definition) = (
            place.namespace, try CollectionDefinition(choice.descriptor, context.rules)
        )
        self.staging = staging
        self.definition = definition
        let documents = canBePatched ? documents : nil
        let bypassesValidation = try context.bypassesValidator(
            of: definition.options, in: staging)
        self.bypassesValidation = bypassesValidation
        patch = documents.map { documents in
            DocumentPatch(
                documents: documents, namespace: staging, definition: definition,
                bypassesValidation: bypassesValidation, options: options, context: context)
        }
        duplicates = choice.isReplayed ? LoadedTwice() : nil
        inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: keepsOrder,
            bypassesValidation: bypassesValidation, ownsCollection: true)
        self.context = context
    }

    var needs: PrivilegeNeeds {
        get throws {
            var needs = PrivilegeNeeds()
            needs.load(into: staging, definition)
            // One that is replayed on is made capped afterwards.
            if keepsOrder { needs.require("convertToCapped", on: staging) }
            if definition.expiry != nil { needs.require("collMod", on: staging) }
            if let keeping {
                let swap = CollectionSwap(live: namespace, keeping: keeping, pool: context.pool)
                needs.formUnion(swap.needs(with: staging.collection))
            } else {
                needs.rename(staging, to: namespace, dropTarget: true)
            }
            return needs
        }
    }

    func prepare() async throws {
        let options =
            try duplicates == nil
            ? definition.optionsWithoutExpiry : definition.optionsWhileReplayed
        try await context.endurance.run { _ in
            do {
                try await context.pool.withConnection { connection in
                    try await connection.createCollection(
                        staging.collection, in: staging.database, options: options)
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
        try await inserter.load(documents, of: source.namespace, duplicates)
    }

    // Before the indexes, for one of them may make documents expire.
    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        if context.continuity.isBroken, patch != nil {
            // What a server has acknowledged before may be lost.
            try await prepare()
            _ = try await mend()
            return nil
        }
        try await context.endurance.run { _ in
            try await StoredDocuments(namespace: staging, pool: context.pool)
                .check(against: duplicates?.removed(from: totals) ?? totals, of: source.namespace)
        }
        return nil
    }

    /// Writes what is missing of the documents and proves that they are the archive's: for a
    /// collection that may hold any part of them.
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

    func complete() async throws {
        try await context.endurance.run { _ in
            try await PatchedIndexes(
                definition, of: staging, for: namespace, isOwn: true, context
            ).complete()
        }
    }

    func commit() async throws -> LoadOutcome? {
        try await rename(writeConcern: nil)
        return nil
    }

    /// Puts it in the live one's place.
    ///
    /// - Parameter writeConcern: nil takes the connection string's.
    func rename(writeConcern: BSONDocument?) async throws {
        try await context.endurance.run { isRepetition in
            if let keeping {
                try await CollectionSwap(live: namespace, keeping: keeping, pool: context.pool)
                    .run(with: staging.collection, isRepetition: isRepetition)
                return
            }
            if isRepetition, try await !isThere() { return }
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
            try await connection.hasCollection(staging.collection, in: staging.database)
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
                if context.rules.letsServerIgnoreOptions {
                    $0.append("ignoreUnknownIndexOptions", true)
                }
            }
            _ = try await transaction.run(command, on: database)
        }
        guard totals.documentCount > 0 else { return }
        var options = InsertOptions()
        options.bypassDocumentValidation = bypassesValidation
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

    /// Finds out whether the server has made of the indexes what the archive says.
    ///
    /// - Throws: `notEqual`.
    func checkIndexes(_ connection: MongoConnection) async throws {
        guard !definition.indexes.isEmpty else { return }
        let differences = try await connection.indexDifferences(
            from: definition.indexes, of: staging.collection, in: staging.database,
            context.rules)
        guard differences.isEmpty else { throw SnapshotError.indexes(differences, of: namespace) }
    }
}
