/// How a restore is to be done.
extension Restore {
    /// What happens to what is there.
    public enum Mode: String, Sendable, CaseIterable {
        /// Afterwards each collection is exactly the snapshot's.
        case replace
        /// Missing documents are inserted, differing ones overwritten or kept, nothing is deleted.
        case merge
    }

    /// What a merge does with a live document that differs from the snapshot's of the same `_id`.
    public enum ConflictRule: String, Sendable, CaseIterable {
        /// It becomes the snapshot's.
        case overwrite
        /// It stays as it is.
        case keep
    }

    /// That what a replace displaces is kept, so that `Undo` can put it back.
    public struct KeepOld: Sendable {
        /// The name by which it can be undone.
        public var job: JobID
        /// For how long, in seconds.
        public var seconds: Int64

        public init(job: JobID, seconds: Int64) {
            self.job = job
            self.seconds = seconds
        }
    }

    /// What to restore and how.
    public struct Options: Sendable {
        public var mode: Mode
        /// Of a merge; other modes have no conflicts.
        public var conflictRule = ConflictRule.overwrite
        /// Of a replace: whether only the difference is written, where that is possible.
        public var isInPlace = false
        /// Of a replace that does not write in place: what is displaced is kept; nil for nothing.
        public var keepOld: KeepOld?
        /// Of a replace: whether it resumes what a killed one of the same archive has loaded.
        public var isResumed = false
        /// How long it tries again when the server is restarted or elects another primary, in
        /// seconds; 0 for not at all.
        public var enduranceSeconds = 0.0
        public var filter = NamespaceFilter()
        /// The last one that fits a namespace counts.
        public var renames: [NamespaceRename] = []
        /// Whether users and roles come back, where the archive has them and they are selected.
        public var restoresUsersAndRoles = true
        /// Whether the oplog of an archive that has one is replayed, which takes a replacing
        /// restore of everything under its own name.
        public var replaysOplog = true
        /// Whether indexes are built beside the one on `_id`. Without, a replace leaves a
        /// collection with that one alone, and a merge leaves the live ones as they are.
        public var restoresIndexes = true
        /// Whether what servers before 3.4 allowed in indexes becomes what it meant to them, as by
        /// mongorestore's option of that name; else it is refused.
        public var convertsLegacyIndexes = false
        /// Whether live views stay as they are.
        var keepsLiveViews: Bool { mode == .merge && conflictRule == .keep }
        /// How many chunks are decoded at once.
        public var width: Int
        /// How many chunks are written at once, each on a connection of its own. Two keep a server
        /// busy that shares two cores with the restore; on a larger one more do.
        public var writerCount = 2
        /// How many small collections' transactions and renames are under way at once: a server
        /// does not work on those but waits for its disk.
        var waitingWriterCount: Int { 2 * writerCount }
        /// How many connections it is good to have.
        public var connectionCount: Int { waitingWriterCount + 1 }
        /// The most documents of one insert.
        public var batchDocumentCount = 1000
        /// What has the old state should the restore fail half-way, such as "the backup 2026…".
        public var previousState: String?
        /// Holds the restore down; nil for as fast as can be.
        public var rateLimiter: RateLimiter?

        public init(mode: Mode, width: Int) {
            self.mode = mode
            self.width = width
        }
    }
}
