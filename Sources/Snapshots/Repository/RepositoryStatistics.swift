internal import ArchiveFormat
public import ObjectStorage

/// What can be said of a repository as a whole.
public struct RepositoryStatistics: Hashable, Sendable {
    /// A snapshot and a moment, in milliseconds since 1970 UTC.
    public struct Event: Hashable, Sendable {
        public var id: SnapshotID
        public var at: Int64
    }

    /// How many snapshots there are of each kind, by their names.
    public var countsByKind: [(kind: String, count: Int)] {
        kinds.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    public var count: Int
    /// Those that can't be read, or in which a verification has found a defect.
    public var damagedCount: Int
    /// Sums over all that can be read.
    public var documentCount: UInt64
    public var documentByteCount: UInt64
    /// Bytes of all files of snapshots.
    public var storedByteCount: UInt64
    /// Stored bytes to bytes of documents, of those that can be read; nil where there are none.
    public var ratio: Double?
    /// Bytes of documents to seconds, over all that a backup took; nil where no time has passed.
    public var bytesPerSecond: Double?
    /// Mean time that a backup took; nil where there is none.
    public var secondsMean: Double?
    /// When the oldest and the newest were begun, in milliseconds since 1970 UTC.
    public var oldest: Event?
    public var newest: Event?
    /// The newest that a backup took and in which no defect was found, and when it ended. Those of
    /// a clock that was ahead don't count: until their day comes they would hide that none is made.
    public var lastSuccess: Event?
    /// What was last found to be whole by a verification, and when.
    public var lastVerified: Event?
    /// Stored bytes of the snapshots that were taken during the last 30 days, divided by the days
    /// since the first of them, or by one where that is less; nil where there are none. What was
    /// removed meanwhile does not count.
    public var growthBytesPerDay: Double?
    /// Of the file system that the repository is in: what can still be written, and all of it; nil
    /// where nobody knows.
    public var freeByteCount: UInt64?
    public var totalByteCount: UInt64?
    private var kinds: [String: Int]

    private static let millisecondsOfDay = 86_400_000.0
    private static let growthDays = 30.0

    /// Those of snapshots.
    ///
    /// - Parameter now: in milliseconds since 1970 UTC.
    public init(_ overviews: [SnapshotCatalog.Overview], space: StorageSpace?, now: Int64) {
        let facts = overviews.compactMap(\.facts)
        let readable = overviews.filter { $0.facts != nil }
        count = overviews.count
        kinds = overviews.reduce(into: [:]) { $0[$1.id.kind, default: 0] += 1 }
        damagedCount = overviews.filter(\.isDamaged).count
        documentCount = facts.map(\.documentCount).clampedSum()
        documentByteCount = facts.map(\.documentByteCount).clampedSum()
        storedByteCount = overviews.map(\.storedByteCount).clampedSum()
        let readableByteCount = readable.map(\.storedByteCount).clampedSum()
        ratio =
            documentByteCount == 0 ? nil : Double(readableByteCount) / Double(documentByteCount)
        let taken = readable.filter(\.isTaken)
        let takenFacts = taken.compactMap(\.facts)
        let seconds = takenFacts.reduce(0) { $0 + $1.seconds }
        bytesPerSecond =
            seconds > 0 ? Double(takenFacts.map(\.documentByteCount).clampedSum()) / seconds : nil
        secondsMean = takenFacts.isEmpty ? nil : seconds / Double(takenFacts.count)
        let ordered = readable.sorted { $0.startedAt < $1.startedAt }
        let believed = ordered.filter { !$0.isFromTheFuture(now: now) }
        oldest = ordered.first.map { Event(id: $0.id, at: $0.startedAt) }
        newest = ordered.last.map { Event(id: $0.id, at: $0.startedAt) }
        lastSuccess = believed.last { $0.isTaken && $0.isWhole }
            .map { Event(id: $0.id, at: $0.facts?.finishedAt ?? $0.startedAt) }
        lastVerified = overviews.filter { $0.verification?.outcome == .ok }
            .map { Event(id: $0.id, at: $0.verification?.at ?? 0) }.max { $0.at < $1.at }
        growthBytesPerDay = Self.growth(taken, now: now)
        freeByteCount = space?.freeByteCount
        totalByteCount = space?.totalByteCount
    }

    /// Those of a repository as it is.
    ///
    /// - Throws: `ObjectStorageError`.
    public init(_ catalog: SnapshotCatalog, now: Int64) async throws {
        self.init(
            try await catalog.overviews(), space: try await catalog.store.space(), now: now)
    }

    private static func growth(
        _ taken: [SnapshotCatalog.Overview], now: Int64
    ) -> Double? {
        let recent = taken.filter {
            Double(now - $0.startedAt) <= growthDays * millisecondsOfDay
                && !$0.isFromTheFuture(now: now)
        }
        guard let first = recent.map(\.startedAt).min() else { return nil }
        let days = max(1, Double(now - first) / millisecondsOfDay)
        return Double(recent.map(\.storedByteCount).clampedSum()) / days
    }
}
