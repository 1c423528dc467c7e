/// The files of a dump, wherever they are.
public protocol DumpFiles: Sendable {
    /// What is in a folder, in order of names.
    ///
    /// - Parameter folder: the names that lead to it; none for the dump itself.
    func entries(of folder: [String]) async throws -> [DumpEntry]

    /// Opens a file for reading. What is read must be as it was when it was opened.
    func open(_ path: [String]) async throws -> any ByteSource
}

/// Something in a folder.
public struct DumpEntry: Hashable, Sendable {
    /// What it is, with symbolic links followed.
    public enum Kind: Hashable, Sendable {
        case file
        case folder
        /// Neither, such as a named pipe or a link that leads nowhere: why it can't be read.
        case unusable(String)
        /// A folder that it is in itself.
        case loop
    }

    public var name: String
    public var kind: Kind
    /// Bytes of a file; 0 for everything else.
    public var byteCount: UInt64

    public init(_ name: String, _ kind: Kind, byteCount: UInt64 = 0) {
        self.name = name
        self.kind = kind
        self.byteCount = byteCount
    }
}

/// Which part of a dump is meant.
public enum DumpTarget: Hashable, Sendable {
    /// All that is in the folder: databases, or the collections of one.
    ///
    /// - Parameter name: of the folder, and of the database when it is that of one.
    case folder(name: String)
    /// One file of documents in the folder.
    ///
    /// - Parameter database: the folder's name.
    case file(String, database: String)
}

/// The bounds of what is read of a dump as a whole, before its documents.
enum DumpLimits {
    /// Bytes of a metadata or prelude file, stored and inflated.
    static let textByteCountMax = 16 * 1024 * 1024
    /// Bytes of all of them together.
    static let textByteCountSumMax = 1 << 30
    /// How many files and folders are told of that are not mongodump's.
    static let noteCountMax = 20
}
