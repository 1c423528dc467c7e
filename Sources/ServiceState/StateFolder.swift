internal import Glibc

/// The folder that holds a service's state, and the files in it.
///
/// | file | holds |
/// |---|---|
/// | `state.sqlite`, `-wal`, `-shm` | the database; all three belong together when it is copied |
/// | `audit.head` | the audit log's end, once more: `AuditHeadFile` |
/// | `lock` | which process uses it: `FolderLock` |
struct StateFolder {
    /// Absolute or relative, as it was given.
    let path: String

    /// The database's file.
    var databasePath: String { path + "/state.sqlite" }

    /// The file of the audit log's head.
    var auditHeadPath: String { path + "/audit.head" }

    /// Makes the folder, its parents and the database's file, for their owner only. A folder that
    /// is there keeps its permissions; the file is closed to others.
    ///
    /// - Throws: `StateError`.
    func prepare() throws {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            guard mkdir(made, 0o700) != 0 else { continue }
            // An existing folder above may refuse for other reasons; opening the file tells.
            let number = errno
            guard number == EEXIST || access(made, F_OK) == 0 else {
                throw StateError("cannot create folder", path: made, errno: number)
            }
        }
        let descriptor = open(databasePath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw StateError("cannot open", path: databasePath, errno: errno)
        }
        defer { close(descriptor) }
        // SQLite gives its other files the same permissions.
        guard fchmod(descriptor, 0o600) == 0 else {
            throw StateError("cannot close to others", path: databasePath, errno: errno)
        }
    }

    /// Checks that there is a database to read.
    ///
    /// - Throws: `StateError(.notFound)` and others.
    func requireDatabase() throws {
        guard access(databasePath, R_OK) == 0 else {
            throw StateError("cannot read", path: databasePath, errno: errno)
        }
    }

    /// Bytes that can still be written to the folder's file system; nil when nobody knows.
    var freeByteCount: UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (count, isOverflow) = UInt64(status.f_bavail)
            .multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return isOverflow ? nil : count
    }

    /// Whether there is not even room for one change.
    var isFull: Bool { freeByteCount.map { $0 < Self.roomByteCountMin } ?? false }

    /// What one small change takes of the write-ahead log, at least.
    private static let roomByteCountMin: UInt64 = 64 * 1024

    /// Puts the names of new files on stable storage.
    func sync() throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StateError("cannot open", path: path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StateError("cannot sync", path: path, errno: errno)
        }
    }
}
