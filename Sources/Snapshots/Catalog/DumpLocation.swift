internal import ArchiveEngine
internal import ArchiveFormat
internal import ObjectStorage

/// A folder of mongodump's, or one file of documents in it.
struct DumpLocation: Sendable {
    private let target: DumpTarget
    private let folder: ForeignFolder

    /// The name of the database that a file is of when its folder has none.
    private static let standardDatabase = "test"
    /// Bytes of a gzip file that are enough to find out how its content begins.
    private static let headByteCount = 64 * 1024
    private static let sniffedByteCount = ArchiveSniffer.headByteCount

    /// - Returns: nil for an archive, whatever its name, and for what is not there.
    /// - Throws: `ObjectStorageError`.
    init?(_ path: String) async throws {
        switch try await ForeignFolder.kind(of: path) {
        case .folder:
            folder = ForeignFolder(path)
            target = .folder(name: try await Self.databaseName(path))
        case .file:
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            let name = parts.last.map(String.init) ?? ""
            guard MongodumpFileName(name)?.content == .documents else { return nil }
            let above = parts.dropLast().joined(separator: "/")
            let parent = parts.count == 1 ? "." : above.isEmpty ? "/" : above
            folder = ForeignFolder(parent)
            guard try await Self.isOfDocuments(folder.openReader([name])) else { return nil }
            target = .file(name, database: try await Self.databaseName(parent))
        default: return nil
        }
    }

    /// - Parameter tolerating: is told of metadata that can't be read; nil when that is an error.
    /// - Throws: `ArchiveError`, `ObjectStorageError`.
    func open(
        tolerating: (@Sendable (ArchiveError) -> Void)? = nil
    ) async throws -> OpenedArchive {
        .foreign(
            try await DumpReader(
                target, in: FilesOfFolder(folder: folder), tolerating: tolerating))
    }

    private static func databaseName(_ path: String) async throws -> String {
        let name = try await ForeignFolder.name(of: path)
        return name.isEmpty ? standardDatabase : name
    }

    /// Whether a file is none that begins like an archive.
    private static func isOfDocuments(_ reader: any ObjectReader) async throws -> Bool {
        let count = Int(min(UInt64(headByteCount), reader.byteCount))
        let head = try await reader.read(at: 0, count: count)
        do throws(ArchiveError) {
            switch try ArchiveSniffer.format(ofHead: Array(head.prefix(sniffedByteCount))) {
            case .cairn, .mongodump: return false
            case .gzip:
                let inflater = try InflateStream()
                inflater.feed(head)
                return try inflater.next()?.starts(with: MongodumpBlock.magic) != true
            }
        } catch {
            // Not an archive, an empty file, or a damaged one, which reading it tells.
            return error.code != .unsupportedVersion
        }
    }
}

/// A folder's files, as the engine reads them.
private struct FilesOfFolder: DumpFiles {
    let folder: ForeignFolder

    func entries(of names: [String]) async throws -> [DumpEntry] {
        try await folder.entries(of: names).map { entry in
            let kind: DumpEntry.Kind =
                switch entry.kind {
                case .file: .file
                case .folder: .folder
                case .unusable(let reason): .unusable(reason)
                case .loop: .loop
                }
            return DumpEntry(entry.name, kind, byteCount: entry.byteCount)
        }
    }

    func open(_ path: [String]) async throws -> any ArchiveEngine.ByteSource {
        ObjectSource(reader: try await folder.openReader(path))
    }
}
