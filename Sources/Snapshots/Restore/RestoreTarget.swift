internal import ArchiveEngine
internal import ArchiveFormat

/// A namespace on its way back. The job calls `prepare` once, `load` any number of times, and
/// `compare`, `complete` and `commit` once each, in this order; after an error anywhere in the job,
/// `abandon` once instead of what was still to come. Where an oplog is replayed, that is done
/// between `compare` and `complete`, and the latter are those of another target at the same place.
protocol RestoreTarget: Sendable {
    /// Its name in the archive.
    var source: NamespaceDescriptor { get }
    /// Its name on the server.
    var namespace: Namespace { get }
    /// Whether documents must be loaded in the archive's order, one call after another.
    var keepsOrder: Bool { get }
    /// Those with a lower rank are committed before: collections before the views on them.
    var commitRank: Int { get }

    /// Whether it takes its documents from the archive by itself, and none are to be loaded.
    var readsArchiveItself: Bool { get }

    /// Itself, where its documents are loaded together with those of others instead of by `load`;
    /// nil for others.
    var small: SmallCollection? { get }

    /// What another restore has left that this one resumes; nil for nothing.
    var leftover: Namespace? { get }

    /// Whether what it replaces can be kept for an undo.
    var canBeKept: Bool { get }

    /// The collection that is loaded beside the live one; nil where there is none.
    var place: StagingPlace? { get }

    /// Whether what is live is exactly the archive's after `commit`.
    var replacesLive: Bool { get }

    /// A collection that the user may read when `needs` are met, for waiting on the server.
    var readable: Namespace { get }

    /// What the user must be allowed to do, all of it before anything is written.
    var needs: PrivilegeNeeds { get throws }

    /// Whether that collection has the options of the archive's when it is complete.
    var stagesDefinition: Bool { get }

    /// Makes the place that documents are loaded into.
    func prepare() async throws

    /// Writes documents. Called from several tasks at once unless `keepsOrder`.
    ///
    /// - Parameter documents: whole documents, one after another, checked.
    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome

    /// Proves that the documents are what the archive holds.
    ///
    /// - Parameter totals: what the archive held of the namespace.
    /// - Returns: what was done with documents that were not given to `load`; nil for nothing.
    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome?

    /// Builds what goes beside the documents.
    func complete() async throws

    /// Makes it live. Called for several targets of the same rank at once.
    ///
    /// - Returns: what became of live documents and definitions; nil when `load` and `compare` said
    ///   it already.
    func commit() async throws -> LoadOutcome?

    /// Makes room for others of the same rank that it stands in the way of.
    func makeRoom() async throws

    /// Removes what `prepare` and `load` have made, as far as it is not live.
    func abandon() async throws
}

extension RestoreTarget {
    var keepsOrder: Bool { false }
    var commitRank: Int { 0 }
    var readsArchiveItself: Bool { false }
    var small: SmallCollection? { nil }
    var leftover: Namespace? { nil }
    var canBeKept: Bool { false }
    var place: StagingPlace? { nil }
    var replacesLive: Bool { true }
    var readable: Namespace { place?.namespace ?? namespace }
    var stagesDefinition: Bool { false }
    func complete() async throws {}
    func makeRoom() async throws {}
}
