import Glibc

/// A file without a name, for its owner only: gone when it is let go or the process ends, however
/// it ends. To be used by one task at a time.
public final class TemporaryFile {
    private let file: OpenFile
    private var byteCount: UInt64 = 0

    /// Makes it in a folder, whose file system must have room for it.
    ///
    /// - Throws: `ObjectStorageError`.
    public init(folder: String) throws(ObjectStorageError) {
        let name = ".\(getpid())-\(UInt64.random(in: 0 ... .max)).temporary"
        let path = "\(folder)/\(name)"
        file = try OpenFile(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
        _ = try calling("cannot remove the name of", path) { unlink(path) }
    }

    /// Writes bytes behind those that are there.
    ///
    /// - Returns: where they begin.
    /// - Throws: `ObjectStorageError`.
    public func append(_ bytes: [UInt8]) throws(ObjectStorageError) -> UInt64 {
        let offset = byteCount
        try file.write(bytes)
        byteCount += UInt64(bytes.count)
        return offset
    }

    /// Exactly `count` bytes from `offset` on.
    ///
    /// - Throws: `ObjectStorageError`.
    public func read(at offset: UInt64, count: Int) throws(ObjectStorageError) -> [UInt8] {
        let bytes = try file.read(at: offset, count: count)
        guard bytes.count == count else {
            throw ObjectStorageError(
                .truncated, "a temporary file is shorter than was written", path: file.path)
        }
        return bytes
    }
}
