import BlockingCalls
import Glibc

/// Looks into one folder and changes its entries, on a thread of its own.
actor FolderAccess {
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    /// The folder as it was given, absolute or relative.
    nonisolated let path: String
    private nonisolated let naming: ObjectNaming
    private let executor = SerialThreadExecutor(label: "cairn.folder")

    /// Looks at nothing yet; `prepare` does.
    init(path: String, naming: ObjectNaming) {
        self.path = path
        self.naming = naming
    }

    /// Checks that the folder is there; makes it and its parents if asked to.
    func prepare(create: Bool) throws {
        if create { try makeFolders() }
        _ = try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY)
    }

    /// Checks that files may be made and removed in the folder.
    func checkWritable() throws {
        _ = try calling("cannot write to", path) { access(path, W_OK | X_OK) }
    }

    /// All files that are objects, in order of their names.
    func objects() throws -> [StoredObject] {
        try files { naming.isKey($0) ? $0 : nil }
    }

    /// All files to whose names `key` gives one.
    func files(_ key: (String) -> String?) throws -> [StoredObject] {
        try fileNames(where: { key($0) != nil }).compactMap { name in
            guard let key = key(name), let status = try status(name),
                status.st_mode & S_IFMT == S_IFREG
            else { return nil }
            return StoredObject(
                key: key, byteCount: UInt64(status.st_size),
                modifiedAtSeconds: Int64(status.st_mtim.tv_sec),
                version: StoredObject.Version(
                    nanoseconds: UInt64(status.st_mtim.tv_nsec), fileNumber: UInt64(status.st_ino)))
        }
    }

    /// Opens an object whose key has been checked.
    func openReader(key: String) throws -> any ObjectReader {
        try FileReader.opening(path + "/" + key)
    }

    /// Removes an object whose key has been checked.
    func delete(key: String) throws {
        _ = try calling("cannot delete", path + "/" + key) { unlink(path + "/" + key) }
        try syncFolder(path)
    }

    /// Removes unfinished uploads whose owner is dead, or on another host and silent since
    /// `oldest`.
    ///
    /// - Parameter spared: names of those that somebody is about to resume.
    func removePartials(
        olderThan oldest: Int64, except spared: Set<String> = []
    ) throws -> [String] {
        let stale = try fileNames().filter { name in
            guard !spared.contains(name) else { return false }
            return switch try ownerState(of: name) {
            case .dead: true
            case .elsewhere:
                try status(name).map { Int64($0.st_mtim.tv_sec) < oldest } ?? false
            case .alive, nil: false
            }
        }
        // Others may remove the same ones at the same time.
        return try stale.filter { try ActiveUploads.removeLeftover(path + "/" + $0) }
            .filter { ObjectNaming.unfinishedKey($0) != nil }
    }

    /// What dead processes have left of uploads with a note.
    func unfinishedUploads() throws -> [UnfinishedUpload] {
        let names = try fileNames()
        return try names.compactMap { name in
            guard let owner = ObjectNaming.partialOwner(name), try ownerState(of: name) == .dead,
                let key = ObjectNaming.unfinishedKey(name)
            else { return nil }
            let noteName = ObjectNaming.noteName(key: key, owner: owner)
            guard names.contains(noteName) else { return nil }
            do {
                let note = try OpenFile(path: path + "/" + noteName, flags: O_RDONLY)
                return UnfinishedUpload(
                    key: key, note: try note.read(at: 0, count: Int(note.byteCount())),
                    reader: try FileReader.opening(path + "/" + name),
                    fileNames: [name, noteName])
            } catch let error as ObjectStorageError where error.code == .notFound {
                // Another process has just removed it.
                return nil
            }
        }
    }

    /// What can be said about the owner of an unfinished upload, or of its note; nil for any other
    /// file.
    private func ownerState(of name: String) throws -> OwnerToken.State? {
        guard let owner = ObjectNaming.partialOwner(name) else { return nil }
        guard owner == .current else { return owner.state }
        guard let status = try status(name) else { return .dead }
        return ActiveUploads.contains(ActiveUploads.File(status)) ? .alive : .dead
    }

    /// The right to upload a key, to be released.
    ///
    /// - Throws: `alreadyExists` while another upload of this process has it.
    func claim(_ key: String) throws -> UploadClaim {
        var folder = stat()
        try calling("cannot examine", path) { stat(path, &folder) }
        guard let claim = UploadClaim(folder: folder, key: key) else {
            throw ObjectStorageError(
                .alreadyExists, "being uploaded by this process already:", path: path + "/" + key)
        }
        return claim
    }

    /// The key under which an upload of this process that has claimed `key` is unfinished: its own,
    /// with a number behind it where one that has ended has left a file or a note.
    func unfinishedKey(for key: String) throws -> String {
        var candidate = key
        var number = 1
        while true {
            let names = [
                ObjectNaming.partialName(key: candidate, owner: .current),
                ObjectNaming.noteName(key: candidate, owner: .current),
            ]
            guard try names.contains(where: { try status($0) != nil }) else { return candidate }
            number += 1
            candidate = "\(key).\(number)"
        }
    }

    /// Writes what an upload notes beside it, on stable storage when it returns; counted as being
    /// written until its caller removes it from `ActiveUploads`.
    func writeNote(_ bytes: [UInt8], to name: String) throws -> ActiveUploads.File {
        let made = try ActiveUploads.create(path + "/" + name, flags: O_WRONLY)
        do {
            try made.file.write(bytes)
            try made.file.sync()
            try syncFolder(path)
        } catch {
            unlink(path + "/" + name)
            ActiveUploads.remove(made.identity)
            throw error
        }
        return made.identity
    }

    /// Removes files, as far as they are there.
    func remove(_ names: [String]) {
        for name in names { unlink(path + "/" + name) }
    }

    /// Names that are not UTF-8 are nobody's key and left out.
    private func fileNames(
        where isMeant: (String) -> Bool = { _ in true }
    ) throws -> [String] {
        var names: [String] = []
        try forEachName { bytes in
            if let name = String(validating: bytes, as: UTF8.self), isMeant(name) {
                names.append(name)
            }
        }
        // By bytes, none of which is zero: so is nothing copied or counted.
        return names.sorted { strcmp($0, $1) < 0 }
    }

    private func forEachName(_ body: (UnsafeRawBufferPointer) -> Void) throws {
        guard let folder = opendir(path) else {
            throw ObjectStorageError(
                "cannot list", path: path, errno: errno, denied: .notReadable)
        }
        defer { closedir(folder) }
        while true {
            errno = 0
            guard let entry = readdir(folder) else { break }
            let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = UnsafeRawPointer(entry) + nameOffset
            body(
                UnsafeRawBufferPointer(
                    start: name, count: strlen(name.assumingMemoryBound(to: CChar.self))))
        }
        guard errno == 0 else {
            throw ObjectStorageError("cannot list", path: path, errno: errno)
        }
    }

    /// What `objects` leaves out, but for hidden files.
    func strays() throws -> [StrayEntry] {
        let names = try fileNames { !$0.hasPrefix(".") }
        var strays = try names.compactMap { name in
            try status(name).flatMap { status in
                kind(name, status).map { StrayEntry(name: name, kind: $0) }
            }
        }
        try forEachName { bytes in
            guard String(validating: bytes, as: UTF8.self) == nil else { return }
            strays.append(
                StrayEntry(name: String(decoding: bytes, as: UTF8.self), kind: .unreadableName))
        }
        return strays
    }

    /// Nil for a file, and for what file systems put into their top folder.
    private func kind(_ name: String, _ status: stat) -> StrayEntry.Kind? {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return nil
        case S_IFDIR: return name == "lost+found" ? nil : .folder
        case S_IFLNK: return access(path + "/" + name, F_OK) == 0 ? .symbolicLink : .danglingLink
        case S_IFIFO: return .namedPipe
        case S_IFSOCK: return .socket
        default: return .device
        }
    }

    /// Nil for a file that has gone meanwhile.
    private func status(_ name: String) throws -> stat? {
        var status = stat()
        guard lstat(path + "/" + name, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw ObjectStorageError("cannot examine", path: path + "/" + name, errno: errno)
        }
        return status
    }

    private func makeFolders() throws {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            let parent = made.isEmpty ? "." : made
            made += part + "/"
            guard mkdir(made, 0o700) != 0 else {
                try syncFolder(parent)
                continue
            }
            // An existing folder above may refuse for other reasons; opening the last one tells.
            let number = errno
            guard number == EEXIST || access(made, F_OK) == 0 else {
                throw ObjectStorageError("cannot create folder", path: made, errno: number)
            }
        }
    }
}
