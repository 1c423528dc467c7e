import CGlibc
import Glibc

/// A file descriptor with one owner, closed with it. Every call may block.
struct OpenFile: ~Copyable {
    /// Negative once closed.
    private var descriptor: Int32
    /// Where it was opened, for error messages.
    let path: String

    /// Opens or creates a file, for its owner only.
    init(path: String, flags: Int32, permissions: mode_t = 0o600) throws(ObjectStorageError) {
        let isReadOnly = flags & O_ACCMODE == O_RDONLY
        descriptor = try calling(
            "cannot open", path, denied: isReadOnly ? .notReadable : .notWritable
        ) {
            open(path, flags | O_CLOEXEC, permissions)
        }
        self.path = path
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Closes the file now: only then does a network file system report its last errors.
    consuming func close() throws(ObjectStorageError) {
        let closing = descriptor
        descriptor = -1
        // Interrupted, the descriptor is closed all the same and must not be closed again.
        guard Glibc.close(closing) == 0 || errno == EINTR else {
            throw ObjectStorageError("cannot close", path: path, errno: errno)
        }
    }

    /// Length and kind as the file system has them.
    func status() throws(ObjectStorageError) -> stat {
        var status = stat()
        _ = try calling("cannot examine", path) { fstat(descriptor, &status) }
        return status
    }

    /// Length in bytes as the file system has it.
    func byteCount() throws(ObjectStorageError) -> UInt64 {
        UInt64(try status().st_size)
    }

    /// Waits until everything written is on stable storage.
    func sync() throws(ObjectStorageError) {
        _ = try calling("cannot sync", path) { fsync(descriptor) }
    }

    /// Asks the system to begin writing a range to stable storage, without waiting for it. Only a
    /// hint: `sync` is what makes sure, and then has less to do.
    func beginSync(from offset: UInt64, count: UInt64) {
        _ = sync_file_range(
            descriptor, Int(offset), Int(count), UInt32(CGLIBC_SYNC_FILE_RANGE_WRITE))
    }

    /// Appends all bytes.
    func write(_ bytes: [UInt8]) throws(ObjectStorageError) {
        var offset = 0
        while offset < bytes.count {
            offset += try calling("cannot write", path) {
                bytes.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
                }
            }
        }
    }

    /// Reads `count` bytes, or as many as there are.
    func read(at offset: UInt64, count: Int) throws(ObjectStorageError) -> [UInt8] {
        var failure: ObjectStorageError?
        // Whole MiB, so that a buffer that was freed fits the next read of about as much.
        let mebibyte = 1024 * 1024
        let capacity = count < mebibyte ? count : (count + mebibyte - 1) / mebibyte * mebibyte
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            do throws(ObjectStorageError) {
                while filled < count {
                    let got = try calling("cannot read", path) {
                        pread(
                            descriptor, buffer.baseAddress.map { $0 + filled }, count - filled,
                            off_t(offset) + off_t(filled))
                    }
                    guard got > 0 else { return }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// Makes a system call that returns -1 and sets `errno` when it fails, again when a signal
/// interrupts it.
@discardableResult
func calling<Number: SignedInteger>(
    _ message: String, _ path: String, denied: ObjectStorageError.Code = .notWritable,
    _ call: () -> Number
) throws(ObjectStorageError) -> Number {
    while true {
        let result = call()
        if result != -1 { return result }
        let number = errno
        guard number == EINTR else {
            throw ObjectStorageError(message, path: path, errno: number, denied: denied)
        }
    }
}

/// Waits until a folder's entries are on stable storage, if its file system can tell (SMB and some
/// FUSE cannot).
func syncFolder(_ path: String) throws(ObjectStorageError) {
    do {
        try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY).sync()
    } catch  where error.systemError == EINVAL || error.systemError == ENOTSUP {
        return
    }
}
