internal import Glibc
internal import Synchronization

/// Holds a folder for one process: an exclusive `flock` on its file `lock`, which names the process
/// for whoever comes second. The system lets it go with the process, however that ends, so there
/// are no stale locks; the file stays.
final class FolderLock: Sendable {
    /// Nil once it was let go.
    private let descriptor: Mutex<Int32?>

    /// Takes the lock or fails at once.
    ///
    /// - Throws: `StateError`, of the code `locked` when somebody holds it.
    init(folder: String) throws {
        let path = folder + "/lock"
        // Not inherited by programs that are started: they would go on holding it.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StateError("cannot open", path: path, errno: errno) }
        self.descriptor = Mutex(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            let holder = Self.holder(descriptor)
            release()
            guard number == EWOULDBLOCK else {
                throw StateError("cannot lock", path: path, errno: number)
            }
            throw StateError(
                .locked,
                "\(folder) is in use by \(holder.map { "process \($0)" } ?? "another process")",
                hint: "stop it first, or choose another state folder")
        }
        // The name is news for people only, so that it need not survive a power cut.
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count
        else {
            let number = errno
            release()
            throw StateError("cannot write", path: path, errno: number)
        }
    }

    deinit {
        release()
    }

    /// Lets the folder go; nothing when that was done before.
    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor {
                // Closing alone would leave it to a child that has been forked and has not yet
                // become another program.
                flock(open, LOCK_UN)
                close(open)
            }
            descriptor = nil
        }
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0, let line = bytes[..<count].split(separator: 10).first else { return nil }
        return Int32(String(decoding: line, as: UTF8.self))
    }
}
