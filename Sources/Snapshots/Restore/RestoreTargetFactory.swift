internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Chooses the way back for each namespace.
struct RestoreTargetFactory {
    let options: Restore.Options
    let context: RestoreContext
    let live: LiveCatalog

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
            return try InPlaceCollection(
                choice, isNew: existing == nil, context, in: place)
        case (_, .replace) where choice.target.collection == "system.js" && existing != nil:
            return try InPlaceCollection(choice, isNew: false, context, in: place)
        case (_, .replace):
            let staged = try StagedCollection(choice, context, in: place)
            let isSmall =
                try choice.isSmall
                && SmallCollection.isPossible(choice.descriptor, context.server)
            return isSmall ? SmallCollection(staged, context) : staged
        case (_, .merge):
            return try MergedCollection(
                choice, isNew: existing == nil, conflictRule: options.conflictRule, context)
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
