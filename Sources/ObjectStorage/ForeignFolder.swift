import BlockingCalls
import Glibc

/// A folder that another program wrote, for reading only: its files, and those of the folders in
/// it. Symbolic links are followed; what is neither a file nor a folder is never opened.
public struct ForeignFolder: Sendable {
    /// Something in a folder.
    public struct Entry: Hashable, Sendable {
        /// What it is, with symbolic links followed.
        public enum Kind: Hashable, Sendable {
            case file
            case folder
            /// Anything else, or nothing at all: why it can't be read.
            case unusable(String)
            /// A folder that it is in itself.
            case loop
        }

        /// The name; of one that is not UTF-8 what can be shown of it.
        public let name: String
        public let kind: Kind
        /// Bytes of a file; 0 for everything else.
        public let byteCount: UInt64
    }

    /// The most entries of one folder.
    public static let entryCountMax = 1 << 22

    /// The folder as it was given, absolute or relative.
    public let path: String
    private let scan = FolderScan()

    /// - Parameter path: looked at by nothing yet.
    public init(_ path: String) {
        self.path = path
    }

    /// What is at a path; nil when there is nothing.
    ///
    /// - Throws: `ObjectStorageError` when that can't be found out.
    public static func kind(of path: String) async throws -> Entry.Kind? {
        try await FolderScan().kind(of: path)
    }

    /// The name of the file or folder at a path, also when the path ends in `.` or `..`; empty for
    /// the root.
    ///
    /// - Throws: `ObjectStorageError`.
    public static func name(of path: String) async throws -> String {
        let last = path.split(separator: "/").last ?? ""
        guard ["", ".", ".."].contains(last) else { return String(last) }
        let whole = try await FolderScan().resolved(path.isEmpty ? "." : path)
        return whole.split(separator: "/").last.map(String.init) ?? ""
    }

    /// What is in the folder, or in one that the names lead to, in order of names.
    ///
    /// - Throws: `ObjectStorageError`.
    public func entries(of names: [String] = []) async throws -> [Entry] {
        try await scan.entries(path(names), below: path)
    }

    /// Opens a file; each read of it fails when it was changed since.
    ///
    /// - Throws: `ObjectStorageError`.
    public func openReader(_ names: [String]) async throws -> any ObjectReader {
        try await scan.openReader(path(names))
    }

    private func path(_ names: [String]) -> String {
        ([path.hasSuffix("/") ? String(path.dropLast()) : path] + names).joined(separator: "/")
    }
}

/// Looks into folders on a thread of its own.
private actor FolderScan {
    /// A file or folder, whatever its names.
    private struct Identity: Hashable {
        let device: UInt64
        let number: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
        }
    }

    /// Levels above a folder that are looked at; a path has no more.
    private static let levelCountMax = 2048

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    private let executor = SerialThreadExecutor(label: "cairn.foreign-folder")

    func openReader(_ path: String) throws -> any ObjectReader {
        try FileReader.opening(path, mustNotChange: true)
    }

    func resolved(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else {
            throw ObjectStorageError("cannot resolve", path: path, errno: errno)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    func kind(of path: String) throws -> ForeignFolder.Entry.Kind? {
        var status = stat()
        guard stat(path, &status) != 0 else { return Self.kind(status) }
        let number = errno
        guard number != ENOENT, number != ENOTDIR else { return nil }
        throw ObjectStorageError(
            "cannot examine", path: path, errno: number, denied: .notReadable)
    }

    func entries(_ path: String, below root: String) throws -> [ForeignFolder.Entry] {
        let above = try identities(above: root)
        return try names(path).map { name in
            guard let text = name.text else {
                return ForeignFolder.Entry(
                    name: String(decoding: name.bytes, as: UTF8.self),
                    kind: .unusable("its name is not UTF-8"), byteCount: 0)
            }
            var status = stat()
            guard stat(path + "/" + text, &status) == 0 else {
                let reason = String(cString: strerror(errno))
                return ForeignFolder.Entry(name: text, kind: .unusable(reason), byteCount: 0)
            }
            var kind = Self.kind(status)
            if kind == .folder, above.contains(Identity(status)) { kind = .loop }
            return ForeignFolder.Entry(
                name: text, kind: kind,
                byteCount: kind == .file ? UInt64(clamping: status.st_size) : 0)
        }
    }

    private static func kind(_ status: stat) -> ForeignFolder.Entry.Kind {
        switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFIFO: .unusable("it is a named pipe")
        case S_IFSOCK: .unusable("it is a socket")
        default: .unusable("it is a device")
        }
    }

    /// The folder itself and all that it is in.
    private func identities(above path: String) throws -> Set<Identity> {
        var found: Set<Identity> = []
        var level = try resolved(path)
        for _ in 0..<Self.levelCountMax {
            var status = stat()
            _ = try calling("cannot examine", level, denied: .notReadable) {
                stat(level, &status)
            }
            found.insert(Identity(status))
            guard level != "/", let slash = level.lastIndex(of: "/") else { break }
            level = slash == level.startIndex ? "/" : String(level[..<slash])
        }
        return found
    }

    private func names(_ path: String) throws -> [(bytes: [UInt8], text: String?)] {
        guard let folder = opendir(path) else {
            throw ObjectStorageError(
                "cannot list", path: path, errno: errno, denied: .notReadable)
        }
        defer { closedir(folder) }
        var names: [(bytes: [UInt8], text: String?)] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else { break }
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let start = UnsafeRawPointer(entry) + offset
            let bytes = [UInt8](
                UnsafeRawBufferPointer(
                    start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
            guard bytes != [0x2E], bytes != [0x2E, 0x2E] else { continue }
            names.append((bytes, String(validating: bytes, as: UTF8.self)))
            guard names.count <= ForeignFolder.entryCountMax else {
                throw ObjectStorageError(
                    .notReadable, "more than \(ForeignFolder.entryCountMax) entries are in",
                    path: path)
            }
        }
        guard errno == 0 else { throw ObjectStorageError("cannot list", path: path, errno: errno) }
        return names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}
