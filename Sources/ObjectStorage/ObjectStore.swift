/// Bytes under keys. An object is whole or is not there; once there it never changes.
///
/// All functions may be called from any task, at the same time.
public protocol ObjectStore: Sendable {
    /// All published objects, in order of their keys; unfinished uploads are not among them.
    ///
    /// - Throws: `ObjectStorageError`.
    func list() async throws -> [StoredObject]

    /// What is there beside the objects and not hidden, in order of its names; nothing of it is
    /// opened.
    ///
    /// - Throws: `ObjectStorageError`.
    func strays() async throws -> [StrayEntry]

    /// Calls `body` once with an upload, and publishes the object under `key` when it returns: all
    /// bytes are on stable storage before the object can be seen. When `body` throws, the task is
    /// cancelled, or publishing fails, nothing is left behind.
    ///
    /// - Parameter body: writes the object; the upload is of no use after it has returned.
    /// - Throws: what `body` throws, `CancellationError`, or `ObjectStorageError`: `alreadyExists`
    ///   for a key that is taken, whose object stays as it is.
    func withUpload<Result>(
        key: String, _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> Result

    /// Opens an object for reading; it is closed when the reader is released.
    ///
    /// - Throws: `ObjectStorageError`, `notFound` among others.
    func openReader(key: String) async throws -> any ObjectReader

    /// Removes an object for good.
    ///
    /// - Throws: `ObjectStorageError`, `notFound` among others.
    func delete(key: String) async throws

    /// All marks of a kind, in order of their names, which are the keys here.
    ///
    /// - Throws: `ObjectStorageError`.
    func marks(_ kind: MarkKind) async throws -> [StoredObject]

    /// The bytes of a mark; nil when there is none.
    ///
    /// - Throws: `ObjectStorageError`.
    func readMark(_ name: String, _ kind: MarkKind) async throws -> [UInt8]?

    /// Makes a mark, or puts another in its place: a reader sees one of them whole.
    ///
    /// - Parameters:
    ///   - bytes: at most `MarkKind.byteCountMax`.
    ///   - name: as a key is.
    /// - Throws: `ObjectStorageError`.
    func writeMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws

    /// Writes behind the bytes of a mark, a few at a time, all of them or none; also touches it.
    ///
    /// - Throws: `ObjectStorageError`, `notFound` among others.
    func appendToMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws

    /// Says that a mark was last written now, by the clock that all marks have in common.
    ///
    /// - Throws: `ObjectStorageError`, `notFound` among others.
    func touchMark(_ name: String, _ kind: MarkKind) async throws

    /// Removes a mark for good; that there is none is no failure.
    ///
    /// - Throws: `ObjectStorageError`.
    func removeMark(_ name: String, _ kind: MarkKind) async throws

    /// How much room there is; nil where nobody knows.
    ///
    /// - Throws: `ObjectStorageError`.
    func space() async throws -> StorageSpace?
}

/// An object in a listing.
public struct StoredObject: Hashable, Sendable {
    /// What it is found under.
    public let key: String
    /// Its length in bytes.
    public let byteCount: UInt64
    /// When it was last written, in seconds since 1970 UTC.
    public let modifiedAtSeconds: Int64
    /// Tells it, together with the other fields, from whatever else may come to have its key.
    public let version: Version

    /// Compared for equality only.
    public struct Version: Hashable, Sendable {
        private let nanoseconds: UInt64
        private let fileNumber: UInt64

        /// - Parameters:
        ///   - nanoseconds: of the second that it was last written in.
        ///   - fileNumber: such as a file's inode.
        public init(nanoseconds: UInt64, fileNumber: UInt64) {
            self.nanoseconds = nanoseconds
            self.fileNumber = fileNumber
        }
    }

    /// An entry of a listing.
    public init(key: String, byteCount: UInt64, modifiedAtSeconds: Int64, version: Version) {
        self.key = key
        self.byteCount = byteCount
        self.modifiedAtSeconds = modifiedAtSeconds
        self.version = version
    }
}

/// Takes bytes one run after another. To be used by one task at a time.
public protocol ByteSink: Sendable {
    /// Bytes taken so far.
    var byteCount: UInt64 { get async }

    /// Appends bytes; returns when the system has them. A sink that failed stays failed: every
    /// later call throws the first error.
    ///
    /// - Throws: `ObjectStorageError`, or `CancellationError` when the task is cancelled.
    func write(_ bytes: [UInt8]) async throws
}

/// Gives bytes one run after another. To be used by one task at a time.
public protocol ByteSource: Sendable {
    /// The next bytes, as soon as there are any: at least one, at most `byteCountMax`; none at the
    /// end, however often it is asked.
    ///
    /// - Throws: `ObjectStorageError`, or `CancellationError` when the task is cancelled.
    func read(upTo byteCountMax: Int) async throws -> [UInt8]
}

/// An object that is not there yet.
public protocol ObjectUpload: ByteSink {
    /// Reads what was written so far, from stable storage, so that it can be verified before it is
    /// published. May be called any number of times; sees no bytes that are written later.
    ///
    /// - Throws: `ObjectStorageError`.
    func reader() async throws -> any ObjectReader
}

/// An open object. May be used by any number of tasks at the same time.
public protocol ObjectReader: Sendable {
    /// The object's length in bytes.
    var byteCount: UInt64 { get }

    /// Exactly `count` bytes from byte `offset` on.
    ///
    /// - Throws: `ObjectStorageError`: `truncated` when the object ends before.
    func read(at offset: UInt64, count: Int) async throws -> [UInt8]
}
