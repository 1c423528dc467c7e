internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that servers do not let a rename replace: a time series (by its buckets) and
/// `system.js`. It is loaded and compared beside the live one like any other, and its definition is
/// tried; then the difference is written: what is missing or differs first, what is too much last.
/// So the live data is never less than before, but a kill during that step leaves it between old
/// and new; running the restore again completes it.
struct InPlaceCollection: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    private let live: Namespace
    let place: StagingPlace?
    private let staging: Namespace
    /// Where the definition is tried.
    private let trial: StagingPlace
    private let duplicates: LoadedTwice?
    /// The options of what is there; nil when there is nothing of that name yet.
    private let liveOptions: BSONDocument?
    private let definition: CollectionDefinition
    private let inserter: ExactInserter
    private let merger: DocumentMerger
    private let measurements: MeasurementCount?
    private let context: RestoreContext

    /// - Parameters:
    ///   - existing: the live one; nil when there is none.
    ///   - place: the collection beside the live one, when it is there already.
    init(
        _ choice: RestorePlan.Choice, over existing: CollectionInfo?, _ context: RestoreContext,
        in place: StagingPlace? = nil
    ) throws {
        source = choice.descriptor
        namespace = choice.target
        live = choice.dataNamespace(on: context.server)
        let place = place ?? StagingPlace(beside: choice.target)
        self.place = place
        staging = place.namespace
        trial = StagingPlace(beside: choice.target)
        duplicates = choice.isReplayed ? LoadedTwice() : nil
        liveOptions = existing?.options
        definition = try CollectionDefinition(choice.descriptor, context.rules)
        inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: false, bypassesValidation: false,
            ownsCollection: true)
        merger = DocumentMerger(
            context: context, namespace: live,
            bypassesValidation: choice.descriptor.type == .timeseries
                && context.allows("bypassDocumentValidation", on: live))
        measurements = try MeasurementCount(choice.descriptor)
        self.context = context
    }

    private var isNew: Bool { liveOptions == nil }

    var needs: PrivilegeNeeds {
        get throws {
            var needs = PrivilegeNeeds()
            needs.load(into: staging, nil)
            needs.load(into: trial.namespace, definition)
            needs.require("listIndexes", on: trial.namespace)
            if try lacksServersIndex { needs.require("dropIndex", on: trial.namespace) }
            needs.require("find", "insert", on: live)
            if isNew {
                needs.create(namespace)
                needs.require("dropCollection", on: namespace)
            } else {
                needs.require("remove", "update", on: live)
            }
            needs.require("listIndexes", on: namespace)
            if try !isNew || lacksServersIndex { needs.require("dropIndex", on: namespace) }
            // Those that are dropped are built again should it fail.
            if !definition.indexes.isEmpty || !isNew {
                needs.require("createIndex", on: namespace)
            }
            if try changesExpiry || definition.expires { needs.require("collMod", on: namespace) }
            return needs
        }
    }

    /// Whether the server makes an index of its own for a new one, and the archive has none such:
    /// from 6.3 on by the meta field and the time (manual, "Time series secondary indexes").
    private var lacksServersIndex: Bool {
        get throws {
            guard source.type == .timeseries, context.server.version >= ServerInfo.Version(6, 3),
                let series = try definition.options.first("timeseries")?.document,
                let meta = try series.first("metaField")?.string,
                let time = try series.first("timeField")?.string
            else { return false }
            return try !definition.indexes.contains { index in
                let key = try index.require("key", \.document).elements()
                return key.map(\.name) == [meta, time]
                    && key.allSatisfy { $0.value.wholeNumber == 1 }
            }
        }
    }

    func prepare() async throws {
        try await tryDefinition()
        try await context.pool.withConnection { connection in
            try await connection.createCollection(staging.collection, in: staging.database)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        var outcome = try await inserter.load(documents, of: source.namespace, duplicates)
        outcome.measurementCount = try measurements?.count(documents) ?? 0
        // What becomes of live documents is known at the end.
        outcome.insertedCount = 0
        return outcome
    }

    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        try await context.endurance.run { _ in
            try await StoredDocuments(namespace: staging, pool: context.pool)
                .check(against: duplicates?.removed(from: totals) ?? totals, of: source.namespace)
        }
        return nil
    }

    /// That all of it can be written is found out before any target is made live.
    func complete() async throws {
        if !isNew { try await merger.tryWriting() }
    }

    func commit() async throws -> LoadOutcome? {
        let staged = StoredDocuments(namespace: staging, pool: context.pool)
        let expected = try await staged.totals()
        var indexes = PatchedIndexes(definition, of: namespace, context)
        var total = LoadOutcome()
        let added = AddedDocuments()
        var (isMade, hasDeleted) = (false, false)
        do {
            isMade = try await makeCollection()
            try await indexes.prepare(mayExpire: changesExpiry)
            try await staged.forEachBatch { documents in
                try context.cancellation.check()
                let outcome = try await merger.merge(documents, noting: added)
                if let failure = outcome.firstFailure {
                    throw SnapshotError(
                        .refused, "\(namespace) could not be completed: \(failure)")
                }
                total.add(outcome)
            }
            total.deletedCount = try await deleteSurplus(&hasDeleted)
        } catch {
            if hasDeleted || !error.allowsTakingBack {
                tellOfHalves()
            } else {
                await takeBack(added, indexes, isMade: isMade)
            }
            throw error
        }
        let found = try await StoredDocuments(namespace: live, pool: context.pool).totals()
        guard found == expected else {
            throw SnapshotError(
                .notEqual,
                "\(namespace) is not what the archive holds, so something else writes to it; "
                    + "stop that, and run the restore again")
        }
        // After the documents: one that is unique could refuse them for a while.
        try await indexes.complete()
        try await DefinitionProof(context: context).check(source, as: namespace)
        try await abandon()
        return total
    }

    func abandon() async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }

    private static let ending = "; run the restore again, which completes it"

    private func tellOfHalves() {
        context.observer.noticed(
            "\(namespace) is between what it was and the snapshot" + Self.ending)
    }

    /// After a failure, while nothing was deleted: takes out again what was added, so that nothing
    /// is there twice, as the snapshot's document and as the live one that it was to take the place
    /// of.
    ///
    /// - Parameter isMade: whether this restore has made the collection.
    private func takeBack(
        _ added: AddedDocuments, _ indexes: PatchedIndexes, isMade: Bool
    ) async {
        do {
            guard !isNew || isMade else { return }
            let isWhole = try await added.remove(from: live, context.pool)
            if isNew {
                // Somebody else may have written to it as soon as it was there.
                let left = try await StoredDocuments(namespace: live, pool: context.pool).totals()
                if left.documentCount == 0 { try await drop(namespace) }
            } else if try changesExpiry {
                let expiry = try liveOptions?.first("expireAfterSeconds")
                try await context.pool.withConnection { connection in
                    try await connection.setExpiry(
                        expiry, of: namespace.collection, in: namespace.database)
                }
            }
            guard isWhole else { throw AddedDocuments.TooMany() }
            if !isNew { try await indexes.takeBack() }
            context.observer.noticed(
                "what the restore had added to \(namespace) was taken out again")
        } catch let failure {
            context.observer.noticed(
                "\(namespace) holds documents of the snapshot beside those that were there, and "
                    + "they could not be taken out: \(failure)" + Self.ending)
        }
    }

    /// Whether documents of either side expire by the options of a time series. Nothing does while
    /// the live documents are made those of the archive: what has expired since the backup would
    /// be missing when they are compared.
    private var changesExpiry: Bool {
        get throws {
            guard source.type == .timeseries else { return false }
            return try definition.expiry != nil
                || liveOptions?.first("expireAfterSeconds") != nil
        }
    }

    /// Makes an empty one of that definition beside the live data, and removes it: what the server
    /// does not take is found out before anything is written.
    private func tryDefinition() async throws {
        let place = trial.namespace
        try await context.pool.withConnection { connection in
            try await connection.createCollection(
                place.collection, in: place.database, options: definition.options)
        }
        do {
            try await PatchedIndexes(definition, of: place, for: namespace, context).complete()
            try await DefinitionProof(context: context).check(source, as: namespace, at: place)
        } catch {
            try await uncancelled { try await drop(place) }
            throw error
        }
        try await drop(place)
    }

    private func drop(_ place: Namespace) async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(place.collection, in: place.database)
        }
    }

    /// - Returns: whether there was none, and it was made.
    /// - Throws: `namespaceConflict` when somebody else has made it meanwhile.
    private func makeCollection() async throws -> Bool {
        guard isNew else { return false }
        try await context.pool.withConnection { connection in
            let present = try await connection.collection(
                namespace.collection, in: namespace.database)
            guard present == nil else {
                throw SnapshotError(
                    .namespaceConflict,
                    "\(namespace) was made by somebody else while it was restored, and was left "
                        + "as it is; drop it, or restore under another name with --ns-rename")
            }
            try await connection.createCollection(
                namespace.collection, in: namespace.database,
                options: definition.optionsWithoutExpiry)
        }
        return true
    }

    /// Deletes the live documents that are not in the staging collection.
    ///
    /// - Parameter hasDeleted: true as soon as one may be deleted.
    /// - Returns: how many.
    private func deleteSurplus(_ hasDeleted: inout Bool) async throws -> UInt64 {
        var count: UInt64 = 0
        try await StoredDocuments(namespace: live, pool: context.pool).forEachBatch { documents in
            let ids = try documents.map { document in
                try BSONDocument(validating: Array(document)).require("_id") { $0 }
            }
            let kept = try await stagedIDs(among: ids)
            let surplus = ids.filter { !kept.contains($0) }
            guard !surplus.isEmpty else { return }
            // From the first deletion on there is no way back.
            if !hasDeleted { try context.cancellation.check() }
            try RepositoryLocks.checkHeld()
            do {
                try await DocumentRemoval(namespace: live, pool: context.pool).remove(surplus)
            } catch let error as MongoError where error.wasRefusedAsAWhole {
                throw error
            } catch {
                hasDeleted = true
                throw error
            }
            hasDeleted = true
            count += UInt64(surplus.count)
        }
        return count
    }

    private func stagedIDs(among ids: [BSONValue]) async throws -> Set<BSONValue> {
        let command = BSONDocument {
            $0.append("find", staging.collection)
            let among = BSONDocument { $0.append("$in", array: ids) }
            $0.append("filter", BSONDocument { $0.append("_id", among) })
            $0.append("projection", BSONDocument { $0.append("_id", Int32(1)) })
        }
        return try await context.pool.withConnection { connection in
            try await connection.withCursor(command, on: staging.database, as: .primary) { cursor in
                var found: Set<BSONValue> = []
                while let batch = try await cursor.nextBatch() {
                    for document in try batch.documents() {
                        found.insert(try document.require("_id") { $0 })
                    }
                }
                return found
            }
        }
    }
}

extension MongoError {
    /// Interruptions, and the loss of the primary's place: some of a command may have been done.
    private static let interruptions: Set<Int> = [
        24, 50, 91, 189, 262, 290, 10107, 11600, 11601, 11602, 13435, 13436,
    ]

    /// Whether the server has done nothing of a command with many writes.
    fileprivate var wasRefusedAsAWhole: Bool {
        code == .unauthorized
            || code == .command && serverCode.map { !Self.interruptions.contains($0) } == true
    }
}

extension Error {
    /// Whether what was added to a live collection may be taken out again after this failure: not
    /// when the server is gone, and not when another job may be at work on the collection.
    var allowsTakingBack: Bool {
        (self as? MongoError)?.isNetworkError != true
            && (self as? SnapshotError)?.code != .lockLost
    }
}
