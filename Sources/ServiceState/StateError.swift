internal import GRDB
internal import Glibc

/// What went wrong with a service's state.
public struct StateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of failure; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name as logs and reports show it.
        public let rawValue: String

        /// A code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// Another process, or another store of this one, holds the folder.
        public static let locked = Code(rawValue: "locked")
        /// The database was written by a newer version.
        public static let newerSchema = Code(rawValue: "newer_schema")
        /// The database was written by an older version and is opened for reading only.
        public static let olderSchema = Code(rawValue: "older_schema")
        /// The database holds what it can't, or is none.
        public static let damaged = Code(rawValue: "damaged")
        /// There is no such folder, job, claim or schedule.
        public static let notFound = Code(rawValue: "not_found")
        /// A job of that id exists.
        public static let alreadyExists = Code(rawValue: "already_exists")
        /// A job or claim cannot go from what it is to what was asked for.
        public static let invalidTransition = Code(rawValue: "invalid_transition")
        /// The text is not a cursor of such a page.
        public static let invalidCursor = Code(rawValue: "invalid_cursor")
        /// A text is too long, holds a NUL, or is not JSON where it must be.
        public static let invalidValue = Code(rawValue: "invalid_value")
        /// The disk or the quota is full.
        public static let noSpace = Code(rawValue: "no_space")
        /// The folder or file may not be written or read.
        public static let noPermission = Code(rawValue: "no_permission")
        /// The store was opened for reading only.
        public static let readOnly = Code(rawValue: "read_only")
        /// The store has been closed.
        public static let closed = Code(rawValue: "closed")
        /// Another process keeps the database from being written.
        public static let busy = Code(rawValue: "busy")
        /// Any other failure of the system or of SQLite.
        public static let io = Code(rawValue: "io")
    }

    /// Which kind of failure it is.
    public let code: Code
    /// What failed, where and why, in a few words; lowercase, no period.
    public let message: String
    /// What may help, or nil.
    public let hint: String?

    /// A failure that the system did not report as such.
    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// A failed system call.
    ///
    /// - Parameter number: `errno` right after the call.
    init(_ message: String, path: String, errno number: Int32) {
        let reason = String(cString: strerror(number))
        switch number {
        case EACCES, EPERM, EROFS:
            self.init(.noPermission, "\(message) \(path): \(reason)", hint: "check its owner")
        case ENOSPC, EDQUOT, EFBIG:
            self.init(.noSpace, "\(message) \(path): \(reason)", hint: "free some space")
        case ENOENT, ENOTDIR:
            self.init(.notFound, "\(message) \(path): \(reason)", hint: "check the path")
        default: self.init(.io, "\(message) \(path): \(reason)")
        }
    }

    /// Whether the same may succeed later, once somebody has seen to the disk.
    public var isTemporary: Bool {
        [.noSpace, .noPermission, .busy, .io, .notFound].contains(code) && !isAboutRecords
    }

    /// Whether there is no such record, rather than no such folder.
    private var isAboutRecords: Bool { code == .notFound && hint == nil }

    /// An error of the database as one of these; other ones as they are.
    ///
    /// - Parameter folder: where the database is. On a full disk SQLite may only say that it could
    ///   not write or open one of its files.
    static func wrapping(_ error: any Error, in folder: String) -> any Error {
        if error is RowDecodingError {
            return StateError(.damaged, "the database holds a value that it can't: \(error)")
        }
        guard let error = error as? DatabaseError else { return error }
        let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_IOERR where StateFolder(path: folder).isFull,
            .SQLITE_CANTOPEN where StateFolder(path: folder).isFull:
            return StateError(
                .noSpace, "cannot write the state: \(reason)", hint: "free some space")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return StateError(
                .busy, "another process uses the state's database: \(reason)",
                hint: "end that process, such as a copy that is being made of it")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StateError(.damaged, "the state's database is damaged: \(reason)")
        case .SQLITE_FULL:
            return StateError(
                .noSpace, "cannot write the state: \(reason)", hint: "free some space")
        case .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_AUTH:
            return StateError(
                .noPermission, "cannot open or write the state: \(reason)",
                hint: "check owner and permissions of the folder")
        case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_CHECK:
            return StateError(.invalidValue, "a value cannot be stored: \(reason)")
        // Everything else that callers can do is looked for before.
        case .SQLITE_CONSTRAINT:
            return StateError(.damaged, "the state does not allow it: \(reason)")
        case .SQLITE_MISUSE:
            return StateError(.closed, "the state is closed")
        default: return StateError(.io, "the state's database failed: \(reason)")
        }
    }

    /// Message and hint as a line for people.
    public var description: String { message + (hint.map { " (\($0))" } ?? "") }
}
