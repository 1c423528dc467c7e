public import ArchiveFormat

/// What a restore did.
public struct RestoreReport: Sendable {
    /// A namespace that was restored.
    public struct Entry: Sendable {
        /// Its name in the archive.
        public var source: Namespace
        /// Its name on the server.
        public var target: Namespace
        public var type: NamespaceType
        public var outcome: LoadOutcome
        /// What its documents are; nil for a view, which has none.
        public var unit: StoredUnit? { StoredUnit(source, type) }
    }

    /// The archive's manifest; nil for archives of other tools.
    public var manifest: Manifest?
    public var entries: [Entry] = []
    /// What was left out or changed of options and indexes that servers no longer take, one
    /// sentence each; at most a hundred, and then how many more.
    public var adjustments: [String] = []
    /// Until when what was displaced is kept, in seconds since 1970 by the server's clock; nil when
    /// it is not.
    public var keptUntil: Int64?
    /// Entries of the archive's oplog that were replayed; nil when it has none or it was left out.
    public var replayedCount: UInt64?
    /// Bytes that were read from the archive.
    public var storedByteCount: UInt64 = 0
    public var seconds: Double = 0

    /// What both have done, of the same documents, one after the other.
    func followed(by later: RestoreReport) -> RestoreReport {
        var report = later
        for (position, entry) in report.entries.enumerated() {
            guard let earlier = entries.first(where: { $0.target == entry.target }) else {
                continue
            }
            report.entries[position].outcome = earlier.outcome.followed(by: entry.outcome)
        }
        return report
    }

    /// Sums over all namespaces.
    public var outcome: LoadOutcome {
        entries.reduce(into: LoadOutcome()) { $0.add($1.outcome) }
    }
}
