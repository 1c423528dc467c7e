public import ArchiveEngine
public import ObjectStorage

/// Where an archive is that shall be read.
public enum ArchiveLocation: Sendable {
    /// A snapshot of a repository, by identifier, beginning of one, or "latest".
    case snapshot(String, in: SnapshotCatalog)
    /// A file outside of any repository.
    case file(String)
    /// A pipe, read front to back.
    case pipe(PipeStream)

    /// Opens it; the format is told by the bytes.
    ///
    /// - Throws: `ArchiveError`, `ObjectStorageError`, `SnapshotError`.
    public func open() async throws -> any ArchiveReader {
        guard let source = try await source() else {
            guard case .pipe(let pipe) = self else { preconditionFailure("only a pipe has none") }
            return try await ArchiveOpener.open(PipeByteStream(pipe: pipe))
        }
        return try await ArchiveOpener.open(source)
    }

    /// Whether it can be read more than once.
    var isSeekable: Bool {
        if case .pipe = self { return false }
        return true
    }

    /// Its bytes; nil for a pipe.
    func source() async throws -> ObjectSource? {
        switch self {
        case .snapshot(let name, let catalog):
            return try await catalog.source(ofKey: catalog.key(for: name))
        case .file(let path):
            let (store, key) = try await FileSystemStore.splitting(path)
            return ObjectSource(reader: try await store.openReader(key: key))
        case .pipe:
            return nil
        }
    }
}
