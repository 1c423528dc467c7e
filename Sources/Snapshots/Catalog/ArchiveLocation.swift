public import ArchiveEngine
public import ArchiveFormat
public import ObjectStorage

/// Where an archive is that shall be read.
public enum ArchiveLocation: Sendable {
    /// A snapshot of a repository, by identifier, beginning of one, or "latest".
    case snapshot(String, in: SnapshotCatalog)
    /// A file outside of any repository, or a folder that mongodump wrote, or one file of it.
    case file(String)
    /// A pipe, read front to back.
    case pipe(PipeStream)

    /// Opens it; the format is told by the bytes.
    ///
    /// - Parameter tolerating: is told of what can't be read and can be done without; nil when that
    ///   is an error.
    /// - Throws: `ArchiveError`, `ObjectStorageError`, `SnapshotError`.
    public func open(
        tolerating: (@Sendable (ArchiveError) -> Void)? = nil
    ) async throws -> OpenedArchive {
        switch self {
        case .snapshot(let name, let catalog):
            return try await ArchiveOpener.open(Self.source(name, catalog))
        case .file(let path):
            if let dump = try await DumpLocation(path) {
                return try await dump.open(tolerating: tolerating)
            }
            return try await ArchiveOpener.open(Self.source(path))
        case .pipe(let pipe):
            return try await ArchiveOpener.open(PipeByteStream(pipe: pipe))
        }
    }

    /// Whether it can be read more than once.
    var isSeekable: Bool {
        if case .pipe = self { return false }
        return true
    }

    /// Its bytes, where it can be read at any place; nil for a pipe, and for a dump.
    func source() async throws -> ObjectSource? {
        switch self {
        case .snapshot(let name, let catalog): return try await Self.source(name, catalog)
        case .file(let path):
            return try await DumpLocation(path) == nil ? try await Self.source(path) : nil
        case .pipe: return nil
        }
    }

    private static func source(
        _ name: String, _ catalog: SnapshotCatalog
    ) async throws -> ObjectSource {
        try await catalog.source(ofKey: catalog.key(for: name))
    }

    private static func source(_ path: String) async throws -> ObjectSource {
        let (store, key) = try await FileSystemStore.splitting(path)
        return ObjectSource(reader: try await store.openReader(key: key))
    }
}
