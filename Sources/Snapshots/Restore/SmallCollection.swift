internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that shares a chunk of the archive with others, because it is small. Many of them
/// are loaded in one transaction, made, indexed, filled and compared: what a server does once for
/// each change of its catalog, it then does once for all of them. They are put in place like other
/// collections, each by one rename.
///
/// What a transaction can't do is left to the collection's own, ordinary way.
struct SmallCollection: RestoreTarget {
    let ordinary: StagedCollection
    private let context: RestoreContext

    init(_ ordinary: StagedCollection, _ context: RestoreContext) {
        self.ordinary = ordinary
        self.context = context
    }

    var source: NamespaceDescriptor { ordinary.source }
    var namespace: Namespace { ordinary.namespace }
    var place: StagingPlace? { ordinary.place }
    var stagesDefinition: Bool { true }
    var small: SmallCollection? { self }

    /// Whether a collection of these options can be made and filled in a transaction.
    static func isPossible(_ descriptor: NamespaceDescriptor, _ server: ServerInfo) throws -> Bool {
        guard server.role == .replicaSetMember, server.version >= ServerInfo.Version(5, 0),
            descriptor.type == .collection, descriptor.namespace.database != "admin",
            descriptor.namespace.database != "config"
        else { return false }
        return try ["capped", "clusteredIndex", "expireAfterSeconds"].allSatisfy {
            try descriptor.options.first($0) == nil
        }
    }

    var needs: PrivilegeNeeds { get throws { try ordinary.needs } }

    /// Made when its documents come.
    func prepare() async throws {}

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        preconditionFailure("a small collection is loaded whole, by SmallCollectionLoader")
    }

    /// Compared when it was loaded.
    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        guard context.continuity.isBroken else { return nil }
        _ = try await ordinary.compare(totals)
        try await ordinary.complete()
        return nil
    }

    var canBeKept: Bool { ordinary.canBeKept }

    /// Loads it anew and puts it in place, for a server that has lost that.
    func commitAnew() async throws {
        try await ordinary.prepare()
        _ = try await ordinary.mend()
        try await ordinary.complete()
        _ = try await ordinary.commit()
    }

    /// Waits for no majority: thousands of renames would wait one by one. The job does, at its end.
    func commit() async throws -> LoadOutcome? {
        try await ordinary.rename(writeConcern: BSONDocument { $0.append("w", Int32(1)) })
        return nil
    }

    func abandon() async throws {
        try await ordinary.abandon()
    }
}

/// Loads the small collections of a chunk.
struct SmallCollectionLoader: Sendable {
    /// A small collection with all of its documents.
    struct Whole: Sendable {
        let target: SmallCollection
        let documents: ArraySlice<UInt8>
        let totals: DocumentTotals
    }

    /// Collections of one transaction: a server ends transactions after a minute and keeps all
    /// their changes in its cache.
    private static let transactionCollectionCountMax = 100
    /// How often a transaction is tried that the server gave up for another one's sake.
    private static let attemptCountMax = 3

    let context: RestoreContext
    /// How many transactions run at once.
    let width: Int

    /// Makes, fills and compares collections.
    ///
    /// - Throws: `notEqual`, `refused`, `MongoError`.
    func load(_ collections: [Whole]) async throws -> [LoadOutcome] {
        var waiting = collections[...]
        let share = (collections.count + width - 1) / width
        let groupCount = min(Self.transactionCollectionCountMax, share)
        try await withOrderedWindow(
            width: width,
            next: {
                guard !waiting.isEmpty else { return nil }
                defer { waiting = waiting.dropFirst(groupCount) }
                return Array(waiting.prefix(groupCount))
            },
            transform: { (group: [Whole]) async throws in
                try await context.endurance.run { isRepetition in
                    if isRepetition { for whole in group { try await whole.target.abandon() } }
                    try await loadTogether(group)
                }
            },
            deliver: { _ in })
        return collections.map { whole in
            var outcome = LoadOutcome()
            outcome.documentCount = whole.totals.documentCount
            outcome.byteCount = whole.totals.byteCount
            outcome.insertedCount = whole.totals.documentCount
            return outcome
        }
    }

    private func loadTogether(_ collections: [Whole]) async throws {
        let keeps = context.server.keepsEmptyTimestamps
        let (plain, others) = try collections.divided { whole in
            try keeps || !DocumentRun.containsEmptyTimestamp(whole.documents)
        }
        if try await loadInTransaction(plain) {
            // Afterwards: what goes wrong here says nothing about the transaction.
            try await context.pool.withConnection { connection in
                for whole in plain {
                    try await whole.target.ordinary.checkIndexes(connection)
                }
            }
        } else {
            for whole in plain { try await loadAlone(whole) }
        }
        for whole in others { try await loadAlone(whole) }
    }

    /// Whether the server could do it in a transaction.
    private func loadInTransaction(_ collections: [Whole]) async throws -> Bool {
        guard !collections.isEmpty else { return true }
        let byteCount = collections.reduce(0) { $0 + $1.documents.count }
        let documentCount = collections.reduce(0) { $0 + $1.totals.documentCount }
        return try await context.pool.withConnection { connection in
            try await context.pacer.willWrite(
                bytes: byteCount, documents: Int(documentCount)
            ) { try await connection.serverPressure() }
            for _ in 1...Self.attemptCountMax {
                do {
                    try await connection.withTransaction { transaction in
                        for whole in collections {
                            try await whole.target.ordinary.load(
                                whole.documents, whole.totals, in: transaction)
                        }
                    }
                    return true
                } catch let error as MongoError
                    where error.labels.contains("TransientTransactionError")
                    && !error.isNetworkError
                {
                    continue
                } catch let error as MongoError where error.code == .command {
                    // Something that this server does not do in a transaction.
                    return false
                }
            }
            return false
        }
    }

    private func loadAlone(_ whole: Whole) async throws {
        let target = whole.target.ordinary
        try await target.prepare()
        _ = try await target.load(whole.documents)
        _ = try await target.compare(whole.totals)
        try await target.complete()
    }
}

extension Array {
    fileprivate func divided(
        _ belongsToFirst: (Element) throws -> Bool
    ) rethrows -> ([Element], [Element]) {
        var (first, second): ([Element], [Element]) = ([], [])
        for element in self {
            if try belongsToFirst(element) { first.append(element) } else { second.append(element) }
        }
        return (first, second)
    }
}
