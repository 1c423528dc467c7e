/// What became of documents.
public struct LoadOutcome: Hashable, Sendable {
    /// Documents of the archive that were handled.
    public var documentCount: UInt64 = 0
    /// Their bytes.
    public var byteCount: UInt64 = 0
    public var insertedCount: UInt64 = 0
    public var overwrittenCount: UInt64 = 0
    /// Live documents that differ and were to be kept.
    public var keptCount: UInt64 = 0
    /// Documents that were there already, byte for byte.
    public var equalCount: UInt64 = 0
    /// Documents that the server refused.
    public var failedCount: UInt64 = 0
    /// Live documents that the archive does not have and that were deleted one by one.
    public var deletedCount: UInt64 = 0
    /// Measurements in those documents of the archive that are buckets of a time series.
    public var measurementCount: UInt64 = 0
    /// What became of views, which have no documents.
    public var views = ViewCounts()
    /// The first reason for a refusal.
    public var firstFailure: String?

    /// What became of views.
    public struct ViewCounts: Hashable, Sendable {
        public var createdCount: UInt64 = 0
        public var changedCount: UInt64 = 0
        /// Live views that differ and were to be kept.
        public var keptCount: UInt64 = 0
        public var equalCount: UInt64 = 0

        /// What became of one view; nil where it is about none.
        public var word: String? {
            createdCount > 0
                ? "created"
                : changedCount > 0
                    ? "changed" : keptCount > 0 ? "kept" : equalCount > 0 ? "equal" : nil
        }
    }

    public init() {}

    /// What became of the same documents in two goes, the second of which has the last word.
    func followed(by later: LoadOutcome) -> LoadOutcome {
        var outcome = later
        outcome.insertedCount += insertedCount
        outcome.overwrittenCount += overwrittenCount
        outcome.deletedCount += deletedCount
        // Those that the first go made or changed are equal in the second.
        outcome.views.createdCount += views.createdCount
        outcome.views.changedCount += views.changedCount
        outcome.views.equalCount -= min(
            outcome.views.equalCount, views.createdCount + views.changedCount)
        let otherCount =
            outcome.insertedCount + outcome.overwrittenCount + outcome.keptCount
            + outcome.failedCount
        outcome.equalCount = documentCount - min(documentCount, otherCount)
        return outcome
    }

    /// Adds what became of other documents.
    public mutating func add(_ other: LoadOutcome) {
        documentCount += other.documentCount
        byteCount += other.byteCount
        insertedCount += other.insertedCount
        overwrittenCount += other.overwrittenCount
        keptCount += other.keptCount
        equalCount += other.equalCount
        failedCount += other.failedCount
        deletedCount += other.deletedCount
        measurementCount += other.measurementCount
        views.createdCount += other.views.createdCount
        views.changedCount += other.views.changedCount
        views.keptCount += other.views.keptCount
        views.equalCount += other.views.equalCount
        firstFailure = firstFailure ?? other.firstFailure
    }
}
