import Glibc
import Synchronization

/// The uploads of this process that are under way: it may live on after one of them has ended
/// without being removed. Known by their files, whatever folder they are in and however that was
/// named.
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

    private static let files = Mutex<Set<File>>([])

    static func insert(_ file: File) {
        files.withLock { _ = $0.insert(file) }
    }

    static func remove(_ file: File) {
        files.withLock { _ = $0.remove(file) }
    }

    static func contains(_ file: File) -> Bool {
        files.withLock { $0.contains(file) }
    }
}
