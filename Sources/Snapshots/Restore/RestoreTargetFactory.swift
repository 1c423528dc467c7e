internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Chooses the way back for each namespace.
struct RestoreTargetFactory {
    let options: Restore.Options
    let context: RestoreContext
    let live: LiveCatalog
    /// Nil for an archive without an index.
    let chunks: IndexedChunks?
    /// Live views that may have to be dropped before all views can be made.
    let viewsInTheWay: Set<Namespace>
    private let recent = RecentChunk()
    private let authorization: AuthorizationMerge

    init(
        options: Restore.Options, context: RestoreContext, live: LiveCatalog,
        chunks: IndexedChunks?, viewsInTheWay: Set<Namespace>
    ) {
        self.options = options
        self.context = context
        self.live = live
        self.chunks = chunks
        self.viewsInTheWay = viewsInTheWay
        authorization = AuthorizationMerge(options.mode, context)
    }

    /// What a killed restore of the same has left of it.
    private func leftover(
        of choice: RestorePlan.Choice, _ staged: StagedCollection
    ) -> Namespace? {
        guard options.isResumed, !staged.keepsOrder, !choice.isReplayed,
            let load = context.load(of: choice)
        else {
            return nil
        }
        return live.leftover(load, in: choice.target.database)
    }

    /// The way that writes only the difference; nil where it is not wanted or not possible.
    func patch(_ choice: RestorePlan.Choice) throws -> PatchedCollection? {
        guard options.mode == .replace, options.isInPlace, let chunks else { return nil }
        guard let existing = live[choice.target], !choice.descriptor.isAuthorization else {
            return nil
        }
        let documents = ArchivedDocuments(chunks, UInt32(choice.position), recent)
        return try PatchedCollection(choice, documents, live: existing, options, context)
    }

    /// - Parameter place: the collection beside the live one, when it is loaded already.
    func target(
        _ choice: RestorePlan.Choice, in place: StagingPlace? = nil
    ) throws -> any RestoreTarget {
        let existing = live[choice.target]
        if choice.descriptor.isAuthorization {
            return AuthorizationTarget(choice, options.mode, authorization, context)
        }
        switch (choice.descriptor.type, options.mode) {
        case (.view, _):
            return ViewTarget(
                choice, live: existing, keepsLive: options.keepsLiveViews,
                isInTheWay: viewsInTheWay.contains(choice.target), context)
        case (.timeseries, .replace):
            return try InPlaceCollection(choice, over: existing, context, in: place)
        case (_, .replace) where choice.target.collection == "system.js" && existing != nil:
            return try InPlaceCollection(choice, over: existing, context, in: place)
        case (_, .replace):
            let documents = chunks.map {
                ArchivedDocuments($0, UInt32(choice.position), recent)
            }
            let staged = try StagedCollection(choice, documents, options, context, in: place)
            if place == nil, let leftover = leftover(of: choice, staged) {
                return ResumedCollection(staged, leftover, context)
            }
            let isSmall =
                try choice.isSmall
                && SmallCollection.isPossible(choice.descriptor, context.server)
            return isSmall ? SmallCollection(staged, context) : staged
        case (_, .merge):
            return try MergedCollection(
                choice, into: existing, conflictRule: options.conflictRule, context)
        }
    }
}
