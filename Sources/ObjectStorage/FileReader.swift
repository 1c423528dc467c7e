import BlockingCalls
import Glibc

/// Reads a file on a thread of its own.
actor FileReader: ObjectReader {
    nonisolated let byteCount: UInt64
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    private let executor: SerialThreadExecutor
    private let file: OpenFile
    /// The file as it was when it was opened, where it must stay so; else nil.
    private let expected: Snapshot?

    /// What changes with a file's content.
    private struct Snapshot: Equatable {
        let byteCount: Int
        let seconds: Int
        let nanoseconds: Int

        init(_ status: stat) {
            byteCount = status.st_size
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private init(
        _ file: consuming OpenFile, mustNotChange: Bool, _ executor: SerialThreadExecutor
    ) throws {
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ObjectStorageError(.notReadable, "not a file:", path: file.path)
        }
        byteCount = UInt64(status.st_size)
        expected = mustNotChange ? Snapshot(status) : nil
        self.executor = executor
        self.file = file
    }

    /// Opens a file; to be called where it may block.
    ///
    /// - Parameter mustNotChange: whether reading fails once the file was written to.
    static func opening(_ path: String, mustNotChange: Bool = false) throws -> FileReader {
        // Non-blocking: a named pipe without a writer would hold up the open for ever.
        let file = try OpenFile(path: path, flags: O_RDONLY | O_NONBLOCK)
        return try FileReader(
            file, mustNotChange: mustNotChange, SerialThreadExecutor(label: "cairn.object-reader"))
    }

    func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        precondition(count >= 0, "a count of bytes is not negative")
        try Task.checkCancellation()
        guard offset <= byteCount, UInt64(count) <= byteCount - offset else {
            throw truncated(at: offset, count: count)
        }
        let bytes = try file.read(at: offset, count: count)
        if let expected, try Snapshot(file.status()) != expected {
            throw ObjectStorageError(
                .changed, "something was written while this was read:", path: file.path,
                hint: "wait until that has ended")
        }
        guard bytes.count == count else { throw truncated(at: offset, count: count) }
        return bytes
    }

    private func truncated(at offset: UInt64, count: Int) -> ObjectStorageError {
        ObjectStorageError(
            .truncated, "\(count) bytes from byte \(offset) on are beyond the end of",
            path: file.path)
    }
}
