import Glibc

/// What went wrong with stored bytes, and where.
public struct ObjectStorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of failure; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name as logs and reports show it.
        public let rawValue: String

        /// A code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// There is no such object or folder.
        public static let notFound = Code(rawValue: "not_found")
        /// The folder or file may not be written.
        public static let notWritable = Code(rawValue: "not_writable")
        /// The folder or file may not be read.
        public static let notReadable = Code(rawValue: "not_readable")
        /// The disk or the quota is full.
        public static let noSpace = Code(rawValue: "no_space")
        /// An object or an upload of that key exists.
        public static let alreadyExists = Code(rawValue: "already_exists")
        /// The key cannot be a file's name.
        public static let invalidKey = Code(rawValue: "invalid_key")
        /// The folder is there but is not a repository; for the layers above.
        public static let notARepository = Code(rawValue: "not_a_repository")
        /// The object ends before the bytes asked for.
        public static let truncated = Code(rawValue: "truncated")
        /// A file was written to while it was read.
        public static let changed = Code(rawValue: "changed")
        /// The other end of a pipe is gone.
        public static let brokenPipe = Code(rawValue: "broken_pipe")
        /// The upload has been published, discarded or has failed before.
        public static let closed = Code(rawValue: "closed")
        /// Any other failure of the system.
        public static let io = Code(rawValue: "io")
    }

    /// Which kind of failure it is.
    public let code: Code
    /// What failed, in a few words; lowercase, no period.
    public let message: String
    /// The file, folder or pipe it failed on.
    public let path: String
    /// What may help, or nil.
    public let hint: String?
    /// The system's error number, or nil when the system reported none.
    public let systemError: Int32?

    /// A failure that the system did not report as such.
    public init(_ code: Code, _ message: String, path: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.hint = hint
        systemError = nil
    }

    /// A failed system call.
    ///
    /// - Parameters:
    ///   - number: `errno` right after the call.
    ///   - denied: what a lack of permission means for this call.
    init(_ message: String, path: String, errno number: Int32, denied: Code = .notWritable) {
        let isDenied = number == EACCES || number == EPERM
        (code, hint) =
            isDenied ? (denied, "check owner and permissions") : Self.meaning(of: number)
        self.message = message
        self.path = path
        systemError = number
    }

    /// Message, path, the system's text and the hint as a line for people.
    public var description: String { "\(message) \(path)\(reason)" }

    /// The same without the path, for those whose business it is not.
    public var summary: String { message + reason }

    private var reason: String {
        let reason = systemError.map { ": \(String(cString: strerror($0)))" } ?? ""
        return reason + (hint.map { " (\($0))" } ?? "")
    }

    private static func meaning(of number: Int32) -> (Code, String?) {
        switch number {
        case ENOENT, ENOTDIR: (.notFound, "check the path")
        case EROFS: (.notWritable, "the file system is read-only")
        case ENOSPC: (.noSpace, "free some space or choose another folder")
        case EDQUOT: (.noSpace, "the disk quota is used up")
        case EEXIST: (.alreadyExists, nil)
        case ENAMETOOLONG: (.invalidKey, "choose a shorter name")
        case EPIPE: (.brokenPipe, "the reading program has ended")
        default: (.io, nil)
        }
    }
}
