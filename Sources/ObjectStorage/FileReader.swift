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

    private init(_ file: consuming OpenFile, _ executor: SerialThreadExecutor) throws {
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ObjectStorageError(.notReadable, "not a file:", path: file.path)
        }
        byteCount = UInt64(status.st_size)
        self.executor = executor
        self.file = file
    }

    /// Opens a file; to be called where it may block.
    static func opening(_ path: String) throws -> FileReader {
        // Non-blocking: a named pipe without a writer would hold up the open for ever.
        let file = try OpenFile(path: path, flags: O_RDONLY | O_NONBLOCK)
        return try FileReader(file, SerialThreadExecutor(label: "cairn.object-reader"))
    }

    func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        precondition(count >= 0, "a count of bytes is not negative")
        try Task.checkCancellation()
        guard offset <= byteCount, UInt64(count) <= byteCount - offset else {
            throw truncated(at: offset, count: count)
        }
        let bytes = try file.read(at: offset, count: count)
        guard bytes.count == count else { throw truncated(at: offset, count: count) }
        return bytes
    }

    private func truncated(at offset: UInt64, count: Int) -> ObjectStorageError {
        ObjectStorageError(
            .truncated, "\(count) bytes from byte \(offset) on are beyond the end of",
            path: file.path)
    }
}
