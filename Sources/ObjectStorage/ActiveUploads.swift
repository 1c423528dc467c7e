import Glibc
import Synchronization

/// What this process is writing: it may live on after an upload has ended without being removed.
///
/// Files are known by device and number, whatever folder they are in and however that was named.
/// The number of a file that was removed may be given to the next one while whoever wrote the first
/// still counts it as its own, so each file is counted, not just listed. A file is made and counted
/// in one step, and looked at and removed in one step: nobody finds a file that is being written
/// before it is counted, nor removes one that has meanwhile come to have a leftover's name.
enum ActiveUploads {
    /// A file, wherever its name is.
    struct File: Hashable, Sendable {
        private let device: UInt64
        private let number: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
        }
    }

    /// A file that was made and is counted until `remove`.
    struct Made: ~Copyable {
        let file: OpenFile
        let identity: File
    }

    private static let counts = Mutex<[File: Int]>([:])

    /// Makes a file that is not there yet, and counts it.
    ///
    /// - Throws: `alreadyExists` among others.
    static func create(_ path: String, flags: Int32) throws(ObjectStorageError) -> Made {
        try counts.withLock { counts throws(ObjectStorageError) in
            let file = try OpenFile(path: path, flags: flags | O_CREAT | O_EXCL)
            let identity = File(try file.status())
            counts[identity, default: 0] += 1
            return Made(file: file, identity: identity)
        }
    }

    /// Counts a file once more.
    static func insert(_ file: File) {
        counts.withLock { $0[file, default: 0] += 1 }
    }

    /// Counts a file once less.
    static func remove(_ file: File) {
        counts.withLock { counts in
            guard let count = counts[file] else { return }
            counts[file] = count > 1 ? count - 1 : nil
        }
    }

    static func contains(_ file: File) -> Bool {
        counts.withLock { $0[file] != nil }
    }

    /// Removes a file unless it is being written by this process.
    ///
    /// - Returns: whether it was there and is gone.
    /// - Throws: what the system says, but for a file that has gone meanwhile.
    static func removeLeftover(_ path: String) throws(ObjectStorageError) -> Bool {
        try counts.withLock { counts throws(ObjectStorageError) in
            var status = stat()
            guard lstat(path, &status) == 0 else {
                if errno == ENOENT { return false }
                throw ObjectStorageError("cannot examine", path: path, errno: errno)
            }
            guard counts[File(status)] == nil else { return false }
            guard unlink(path) == 0 else {
                if errno == ENOENT { return false }
                throw ObjectStorageError("cannot remove", path: path, errno: errno)
            }
            return true
        }
    }
}

/// The right to upload one key of a folder, which one upload of this process has at a time.
final class UploadClaim: Sendable {
    private struct Place: Hashable {
        let folder: ActiveUploads.File
        let key: String
    }

    private static let claimed = Mutex<Set<Place>>([])
    private let place: Place

    /// Nil when another upload has it.
    init?(folder: stat, key: String) {
        place = Place(folder: ActiveUploads.File(folder), key: key)
        let place = place
        guard Self.claimed.withLock({ $0.insert(place).inserted }) else { return nil }
    }

    /// Gives the key free; once.
    func release() {
        Self.claimed.withLock { _ = $0.remove(place) }
    }
}
