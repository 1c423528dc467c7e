import Glibc

/// Small hidden files beside the objects.
extension FolderAccess {
    /// All marks of a kind, in order of their names.
    func marks(_ kind: MarkKind) throws -> [StoredObject] {
        try files { kind.name(ofFile: $0) }
    }

    /// The bytes of a mark; nil when there is none.
    func readMark(_ name: String, _ kind: MarkKind) throws -> [UInt8]? {
        let filePath = path + "/" + kind.fileName(name)
        do {
            let file = try OpenFile(path: filePath, flags: O_RDONLY | O_NONBLOCK)
            guard try file.byteCount() <= UInt64(MarkKind.byteCountMax) else {
                throw ObjectStorageError(.io, "too long for what it should be:", path: filePath)
            }
            return try file.read(at: 0, count: MarkKind.byteCountMax)
        } catch let error as ObjectStorageError where error.code == .notFound {
            return nil
        }
    }

    /// Makes a mark, or puts another in its place; readers see the one or the other.
    func writeMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) throws {
        let fileName = kind.fileName(name)
        // Known to be under way, like an upload, so that nobody takes it for a leftover.
        let temporary = ObjectNaming.partialName(
            key: String(fileName.dropFirst()) + ".\(UInt32.random(in: 0 ... .max))",
            owner: .current)
        let made = try ActiveUploads.create(path + "/" + temporary, flags: O_WRONLY)
        let identity = made.identity
        defer { ActiveUploads.remove(identity) }
        let file = made.file
        do {
            try file.write(bytes)
            if kind.isDurable { try file.sync() }
            try file.close()
            try calling("cannot give its name to", path + "/" + fileName) {
                rename(path + "/" + temporary, path + "/" + fileName)
            }
        } catch {
            unlink(path + "/" + temporary)
            throw error
        }
        if kind.isDurable { try syncFolder(path) }
    }

    /// Writes behind the bytes of a mark, which counts as touching it.
    func appendToMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) throws {
        let file = try OpenFile(
            path: path + "/" + kind.fileName(name), flags: O_WRONLY | O_APPEND)
        try file.write(bytes)
        try file.close()
    }

    /// Sets the time of a mark to now, by the clock of the file system.
    func touchMark(_ name: String, _ kind: MarkKind) throws {
        let filePath = path + "/" + kind.fileName(name)
        try calling("cannot touch", filePath) { utimensat(AT_FDCWD, filePath, nil, 0) }
    }

    /// Removes a mark, as far as it is there.
    func removeMark(_ name: String, _ kind: MarkKind) throws {
        let filePath = path + "/" + kind.fileName(name)
        guard unlink(filePath) != 0 else {
            if kind.isDurable { try syncFolder(path) }
            return
        }
        let number = errno
        guard number == ENOENT else {
            throw ObjectStorageError("cannot remove", path: filePath, errno: number)
        }
    }

    /// What the file system says about its size.
    func space() throws -> StorageSpace {
        var status = statvfs()
        try calling("cannot examine", path) { statvfs(path, &status) }
        let unit = UInt64(status.f_frsize)
        return StorageSpace(
            freeByteCount: UInt64(status.f_bavail) * unit,
            totalByteCount: UInt64(status.f_blocks) * unit)
    }
}
