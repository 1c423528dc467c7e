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
    private let recent = RecentChunk()

    init(
        options: Restore.Options, context: RestoreContext, live: LiveCatalog,
        chunks: IndexedChunks?
    ) {
        self.options = options
        self.context = context
        self.live = live
        self.chunks = chunks
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
    ///
    /// - Throws: `unsupported` without an index.
    func patch(_ choice: RestorePlan.Choice) throws -> PatchedCollection? {
        guard options.mode == .replace, options.isInPlace else { return nil }
        guard let chunks else {
            throw SnapshotError(
                .unsupported,
                "only an archive with an index can be restored in place; make one with \"cairn "
                    + "index\"")
        }
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
            return AuthorizationTarget(choice, options.mode, context)
        }
        try checkTimeSeries(choice)
        if choice.descriptor.type == .timeseries { try checkOptions(choice, existing) }
        switch (choice.descriptor.type, options.mode) {
        case (.view, _):
            return ViewTarget(
                choice, live: existing,
                keepsLive: options.mode == .merge && options.conflictRule == .keep, context)
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

    /// From 8.3 on a server takes buckets only by commands that were never tried here.
    private func checkTimeSeries(_ choice: RestorePlan.Choice) throws {
        let version = context.server.versionString
        guard choice.descriptor.type == .timeseries,
            !ArchivePrelude.keepsBucketsApart(serverVersion: version)
        else { return }
        throw SnapshotError(
            .unsupported,
            "time series \(choice.target) can't be restored to a server of version \(version); "
                + "leave it out with --ns-exclude, or use mongorestore for it")
    }

    /// The buckets of a time series only fit one that packs them in the same way.
    private func checkOptions(
        _ choice: RestorePlan.Choice, _ existing: CollectionInfo?
    ) throws {
        guard let existing,
            try existing.options.first("timeseries")
                != choice.descriptor.options.first("timeseries")
        else { return }
        throw SnapshotError(
            .namespaceConflict,
            "time series \(choice.target) has other options on the server than in the archive; "
                + "drop it, or restore under another name with --ns-rename")
    }
}
