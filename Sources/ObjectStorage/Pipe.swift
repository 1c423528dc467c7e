import BlockingCalls
import Glibc

/// Writes to a pipe, terminal, socket or standard output, on a thread of its own. The descriptor
/// stays the caller's, who also sees to it that SIGPIPE is ignored; a reader that is gone is the
/// error `brokenPipe`.
public actor PipeUpload: ByteSink {
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    /// Bytes that the system has taken so far.
    public private(set) var byteCount: UInt64 = 0
    private let executor = SerialThreadExecutor(label: "cairn.pipe-upload")
    private let pipe: PipeEnd
    private var failure: (any Error)?

    /// Writes nothing yet.
    ///
    /// - Parameter name: what error messages call it, such as "standard output".
    public init(descriptor: Int32, name: String) {
        pipe = PipeEnd(descriptor: descriptor, name: name)
    }

    public func write(_ bytes: [UInt8]) async throws {
        if let failure { throw failure }
        let chunkByteCount = pipe.isFile ? max(bytes.count, 1) : PipeEnd.atomicByteCount
        var rest = bytes[...]
        do {
            while !rest.isEmpty {
                try pipe.wait(for: POLLOUT)
                let taken = try pipe.write(rest.prefix(chunkByteCount))
                rest = rest.dropFirst(taken)
                byteCount += UInt64(taken)
            }
        } catch {
            // Cancellation too: the reader has half of these bytes, so nothing may follow.
            failure = error
            throw error
        }
    }

    /// Waits for stable storage if a file is behind the descriptor (`> FILE`).
    ///
    /// - Throws: `ObjectStorageError`.
    public func finish() async throws {
        if let failure { throw failure }
        if pipe.isFile { try pipe.sync() }
    }
}

/// Reads from a pipe, terminal, socket or standard input, on a thread of its own. The descriptor
/// stays the caller's.
public actor PipeStream: ByteSource {
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    private let executor = SerialThreadExecutor(label: "cairn.pipe-stream")
    private let pipe: PipeEnd

    /// Reads nothing yet.
    ///
    /// - Parameter name: what error messages call it, such as "standard input".
    public init(descriptor: Int32, name: String) {
        pipe = PipeEnd(descriptor: descriptor, name: name)
    }

    public func read(upTo byteCountMax: Int) async throws -> [UInt8] {
        precondition(byteCountMax > 0, "at least one byte is asked for")
        while true {
            try pipe.wait(for: POLLIN)
            if let bytes = try pipe.read(upTo: byteCountMax) { return bytes }
        }
    }
}

/// One end of a pipe, or what stands in its place.
private struct PipeEnd: Sendable {
    /// So many bytes can be written without blocking when a pipe is ready at all (`PIPE_BUF`).
    static let atomicByteCount = 4096
    /// How long a cancellation waits for a pipe that is stuck.
    private static let pollMilliseconds: Int32 = 200

    let descriptor: Int32
    let name: String

    /// Whether it is a regular file, which is always ready.
    var isFile: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Returns when the pipe is ready or broken.
    ///
    /// - Throws: `CancellationError` while it is not.
    func wait(for events: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        repeat {
            try Task.checkCancellation()
        } while try calling("cannot wait for", name) {
            poll(&entry, 1, Self.pollMilliseconds)
        } == 0
    }

    /// - Returns: bytes that the system has taken: none where it was not ready after all, because
    ///   others use it too and it does not block.
    func write(_ bytes: ArraySlice<UInt8>) throws(ObjectStorageError) -> Int {
        do throws(ObjectStorageError) {
            return try calling("cannot write", name) {
                bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            }
        } catch  where error.systemError == EAGAIN {
            return 0
        }
    }

    /// - Returns: no bytes at the end; nil where it was not ready after all.
    func read(upTo byteCountMax: Int) throws(ObjectStorageError) -> [UInt8]? {
        var failure: ObjectStorageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, filled in
            do throws(ObjectStorageError) {
                filled = try calling("cannot read", name) {
                    Glibc.read(descriptor, buffer.baseAddress, byteCountMax)
                }
            } catch {
                failure = error
            }
        }
        if let failure {
            guard failure.systemError == EAGAIN else { throw failure }
            return nil
        }
        return bytes
    }

    func sync() throws(ObjectStorageError) {
        try calling("cannot sync", name) { fsync(descriptor) }
    }
}
