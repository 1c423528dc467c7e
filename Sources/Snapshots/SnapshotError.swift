/// Why what the user asked for was not done. Errors of the layers below are passed on as they are;
/// this is for what only this layer can know.
public struct SnapshotError: Error, Sendable, CustomStringConvertible {
    /// A stable name for one kind of failure; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// What was asked for makes no sense, such as a pattern or a rename that is malformed.
        public static let usage = Code(rawValue: "usage")
        /// There is no such snapshot.
        public static let notFound = Code(rawValue: "not_found")
        /// There is no repository where one was expected.
        public static let noRepository = Code(rawValue: "no_repository")
        /// Two namespaces would end up in one place, or a name is not allowed.
        public static let namespaceConflict = Code(rawValue: "namespace_conflict")
        /// The collections changed under the backup in a way that would make it untrue.
        public static let catalogChanged = Code(rawValue: "catalog_changed")
        /// The server's oplog has lost what was written during the backup.
        public static let oplogOverflow = Code(rawValue: "oplog_overflow")
        /// What the server holds after a restore is not what the archive holds.
        public static let notEqual = Code(rawValue: "not_equal")
        /// The server was away during something that can't be resumed.
        public static let interrupted = Code(rawValue: "interrupted")
        /// A restore was cut off while it replaced a collection; that must be mended first.
        public static let unfinished = Code(rawValue: "unfinished")
        /// The server refused documents.
        public static let refused = Code(rawValue: "refused")
        /// Somebody is at work on the same snapshots or collections.
        public static let locked = Code(rawValue: "locked")
        /// The job's own lock could not be renewed or was taken away, so it was cancelled.
        public static let lockLost = Code(rawValue: "lock_lost")
        /// It was cancelled when some of it was done.
        public static let cancelled = Code(rawValue: "cancelled")
        /// It is the last snapshot that is known to be whole.
        public static let lastVerified = Code(rawValue: "last_verified")
        /// The server can't do what is needed.
        public static let unsupported = Code(rawValue: "unsupported")
    }

    public let code: Code
    /// What failed, where, and what to do; lowercase, no period, never document contents.
    public let message: String
    /// What of a restore is live already, and the way out; the message ends with it. Nil when
    /// nothing is.
    public let alreadyLive: String?

    public init(_ code: Code, _ message: String, alreadyLive: String? = nil) {
        self.code = code
        self.message = alreadyLive.map { "\(message); \($0)" } ?? message
        self.alreadyLive = alreadyLive
    }

    public var description: String { message }
}
