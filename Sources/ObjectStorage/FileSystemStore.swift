import Glibc

/// Objects as files of one folder, readable by their owner only.
public struct FileSystemStore: ObjectStore {
    /// How long an unfinished upload of another host is left alone: its owner cannot be asked.
    public static let foreignPartialSecondsMax: Int64 = 24 * 60 * 60

    private let access: FolderAccess
    private let naming: ObjectNaming

    /// A folder that holds a repository's objects. Keys are file names of up to 200 bytes that do
    /// not begin with a dot.
    ///
    /// - Parameter create: whether to make the folder, and those above it, when it is missing.
    /// - Throws: `ObjectStorageError`: `notFound` when there is no such folder.
    public init(folder: String, create: Bool) async throws {
        try await self.init(folder: folder, create: create, naming: .repository)
    }

    /// The folder and the key of a file anywhere; any name that the file system takes is a key.
    ///
    /// - Throws: `ObjectStorageError`: `invalidKey` when the path does not end in a file name,
    ///   `notFound` when there is no such folder.
    public static func splitting(
        _ path: String
    ) async throws -> (store: FileSystemStore, key: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let key = parts.last.map(String.init) ?? ""
        let above = parts.dropLast().joined(separator: "/")
        let folder = parts.count == 1 ? "." : above.isEmpty ? "/" : above
        try ObjectNaming.anyFileName.validate(key)
        let store = try await FileSystemStore(
            folder: folder, create: false, naming: .anyFileName)
        return (store, key)
    }

    private init(folder: String, create: Bool, naming: ObjectNaming) async throws {
        access = FolderAccess(path: folder, naming: naming)
        self.naming = naming
        try await access.prepare(create: create)
    }

    public func list() async throws -> [StoredObject] {
        try await access.objects()
    }

    public func strays() async throws -> [StrayEntry] {
        try await access.strays()
    }

    public func withUpload<Result>(
        key: String, _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> Result {
        try await withUpload(key: key, note: nil, keepsUnfinished: { _ in false }, body)
    }

    /// The same, with a note beside it, by which another process can resume it when this one is
    /// killed; see `unfinishedUploads`.
    ///
    /// - Parameters:
    ///   - note: nil for none, and then nobody can.
    ///   - keepsUnfinished: whether what was written, and the note, stay after that error.
    public func withUpload<Result>(
        key: String, note: [UInt8]?, keepsUnfinished: (any Error) -> Bool,
        _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> Result {
        try naming.validate(key)
        let claim = try await access.claim(key)
        defer { claim.release() }
        let unfinishedKey = try await access.unfinishedKey(for: key)
        let noteName = ObjectNaming.noteName(key: unfinishedKey, owner: .current)
        let upload = FileUpload(
            folder: access.path,
            temporaryName: ObjectNaming.partialName(key: unfinishedKey, owner: .current), key: key)
        try await upload.begin()
        var activeNote: ActiveUploads.File?
        defer { if let activeNote { ActiveUploads.remove(activeNote) } }
        do {
            if let note { activeNote = try await access.writeNote(note, to: noteName) }
            let result = try await body(upload)
            try Task.checkCancellation()
            try await upload.publish()
            if note != nil { await access.remove([noteName]) }
            return result
        } catch  where note != nil && keepsUnfinished(error) {
            await upload.leave()
            throw error
        } catch {
            await upload.discard()
            if note != nil { await access.remove([noteName]) }
            throw error
        }
    }

    /// What dead processes of this host have left of uploads with a note, in order of their keys.
    ///
    /// - Throws: `ObjectStorageError`.
    public func unfinishedUploads() async throws -> [UnfinishedUpload] {
        try await access.unfinishedUploads()
    }

    /// Removes one that was resumed.
    public func remove(_ upload: UnfinishedUpload) async {
        await access.remove(upload.fileNames)
    }

    public func openReader(key: String) async throws -> any ObjectReader {
        try naming.validate(key)
        return try await access.openReader(key: key)
    }

    public func delete(key: String) async throws {
        try naming.validate(key)
        try await access.delete(key: key)
    }

    public func marks(_ kind: MarkKind) async throws -> [StoredObject] {
        try await access.marks(kind)
    }

    public func readMark(_ name: String, _ kind: MarkKind) async throws -> [UInt8]? {
        try naming.validate(name)
        return try await access.readMark(name, kind)
    }

    public func writeMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws {
        try naming.validate(name)
        guard bytes.count <= MarkKind.byteCountMax else {
            throw ObjectStorageError(
                .io, "cannot write more than \(MarkKind.byteCountMax) bytes to",
                path: access.path + "/" + kind.fileName(name))
        }
        try await access.writeMark(bytes, name, kind)
    }

    public func appendToMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws {
        try naming.validate(name)
        try await access.appendToMark(bytes, name, kind)
    }

    public func touchMark(_ name: String, _ kind: MarkKind) async throws {
        try naming.validate(name)
        try await access.touchMark(name, kind)
    }

    public func removeMark(_ name: String, _ kind: MarkKind) async throws {
        try naming.validate(name)
        try await access.removeMark(name, kind)
    }

    /// Checks that objects may be made and removed, without doing so.
    ///
    /// - Throws: `ObjectStorageError`.
    public func checkWritable() async throws {
        try await access.checkWritable()
    }

    public func space() async throws -> StorageSpace? {
        try await access.space()
    }

    /// Removes what uploads of dead processes left behind, and of other hosts after
    /// `foreignPartialSecondsMax`; gives the names of the removed files.
    ///
    /// - Throws: `ObjectStorageError`.
    public func removeStalePartials(
        except spared: [UnfinishedUpload] = []
    ) async throws -> [String] {
        try await removeStalePartials(nowSeconds: Int64(time(nil)), except: spared)
    }

    /// - Parameter nowSeconds: the time in seconds since 1970 UTC.
    func removeStalePartials(
        nowSeconds: Int64, except spared: [UnfinishedUpload] = []
    ) async throws -> [String] {
        try await access.removePartials(
            olderThan: nowSeconds - Self.foreignPartialSecondsMax,
            except: Set(spared.flatMap(\.fileNames)))
    }
}
