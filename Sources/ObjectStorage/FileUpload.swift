import BlockingCalls
import CGlibc
import Glibc

/// Writes a file under a temporary name on a thread of its own, and gives it its name at the end.
actor FileUpload: ObjectUpload {
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    private let executor = SerialThreadExecutor(label: "cairn.object-upload")
    private let folder: String
    private let temporaryPath: String
    private let finalPath: String
    private var file: OpenFile?
    private var active: ActiveUploads.File?
    private var failure: ObjectStorageError?
    private(set) var byteCount: UInt64 = 0
    /// Bytes that the system has been asked to write to stable storage.
    private var begunByteCount: UInt64 = 0
    private var isSynced = false

    /// How many bytes wait for more before the system is asked to write them out. Left alone it
    /// begins after seconds, and the sync at the end waits for nearly all of a file.
    private static let writeBackByteCount: UInt64 = 8 * 1024 * 1024

    /// Nothing is created before `begin`.
    init(folder: String, temporaryName: String, key: String) {
        self.folder = folder
        temporaryPath = folder + "/" + temporaryName
        finalPath = folder + "/" + key
    }

    /// Creates the temporary file.
    ///
    /// - Throws: `alreadyExists` when the key is taken.
    func begin() throws {
        var status = stat()
        guard lstat(finalPath, &status) != 0 else {
            throw ObjectStorageError(.alreadyExists, "there already is", path: finalPath)
        }
        let made = try ActiveUploads.create(temporaryPath, flags: O_RDWR)
        active = made.identity
        let temporaryFile = made.file
        file = consume temporaryFile
    }

    deinit {
        if let active { ActiveUploads.remove(active) }
    }

    /// Nobody needs to spare its temporary file any longer.
    private func deactivate() {
        if let active { ActiveUploads.remove(active) }
        active = nil
    }

    func write(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        isSynced = false
        let written = byteCount + UInt64(bytes.count)
        let waiting = begunByteCount..<written
        let isDue = written - begunByteCount >= Self.writeBackByteCount
        try failing { file throws(ObjectStorageError) in
            try file.write(bytes)
            if isDue {
                file.beginSync(from: waiting.lowerBound, count: UInt64(waiting.count))
            }
        }
        byteCount = written
        if isDue { begunByteCount = written }
    }

    func reader() async throws -> any ObjectReader {
        try synced()
        return try FileReader.opening(temporaryPath)
    }

    /// Gives the file its name, once all of it is known to be on stable storage.
    func publish() throws {
        try synced()
        try file.take()?.close()
        try renameWithoutReplacing(temporaryPath, to: finalPath)
        deactivate()
        do {
            try syncFolder(folder)
        } catch {
            // The name may not survive a power cut, so nobody may come to rely on it.
            unlink(finalPath)
            throw error
        }
    }

    /// Ends an upload that is not published, but leaves its temporary file for another to go on
    /// with.
    func leave() {
        failure = failure ?? closedError
        file = nil
        deactivate()
    }

    /// Closes and removes the temporary file of an upload that is not published. A leftover, should
    /// that fail too, is recognised by its name later.
    func discard() {
        failure = failure ?? closedError
        file = nil
        unlink(temporaryPath)
        deactivate()
    }

    /// Checks the length and waits for stable storage.
    private func synced() throws {
        let mustSync = !isSynced
        let expected = byteCount
        try failing { file throws(ObjectStorageError) in
            guard try file.byteCount() == expected else {
                throw ObjectStorageError(
                    .io, "not \(expected) bytes long as written:", path: file.path,
                    hint: "another program may be writing to it")
            }
            if mustSync { try file.sync() }
        }
        isSynced = true
    }

    /// Remembers the first failure: bytes may be missing after it, so nothing may follow.
    private func failing(
        _ body: (borrowing OpenFile) throws(ObjectStorageError) -> Void
    ) throws(ObjectStorageError) {
        if let failure { throw failure }
        do throws(ObjectStorageError) {
            switch file {
            case .some(let file): try body(file)
            case .none: throw closedError
            }
        } catch {
            failure = error
            throw error
        }
    }

    private var closedError: ObjectStorageError {
        ObjectStorageError(.closed, "no longer open:", path: temporaryPath)
    }
}

/// Renames a file unless the new name is taken: a second name for a file cannot replace anything.
/// File systems without second names (FAT, some FUSE) are told not to replace; those that can't
/// even do that are asked first, which leaves another writer a moment to take the name.
private func renameWithoutReplacing(_ source: String, to target: String) throws {
    if link(source, target) == 0 {
        // Failing, it leaves the first name, which goes the way of all leftovers.
        unlink(source)
        return
    }
    var number = errno
    // Over NFS an answer may be lost, and the second attempt finds the name that the first made.
    if number == EEXIST, isSameFile(source, target) {
        unlink(source)
        return
    }
    let hasNoLinks = [EPERM, ENOSYS, ENOTSUP, EMLINK].contains(number)
    if hasNoLinks {
        let flags = UInt32(CGLIBC_RENAME_NOREPLACE)
        if renameat2(AT_FDCWD, source, AT_FDCWD, target, flags) == 0 { return }
        number = errno
    }
    var status = stat()
    let isTaken = lstat(target, &status) == 0
    guard hasNoLinks, [EINVAL, ENOSYS, ENOTSUP].contains(number), !isTaken else {
        throw ObjectStorageError(
            "cannot give its name to", path: target, errno: isTaken ? EEXIST : number)
    }
    try calling("cannot give its name to", target) { rename(source, target) }
}

private func isSameFile(_ first: String, _ second: String) -> Bool {
    var (one, other) = (stat(), stat())
    guard lstat(first, &one) == 0, lstat(second, &other) == 0 else { return false }
    return ActiveUploads.File(one) == ActiveUploads.File(other)
}
