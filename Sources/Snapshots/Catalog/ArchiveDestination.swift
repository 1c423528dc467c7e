internal import ArchiveEngine
internal import ArchiveFormat
internal import MongoDriver
public import ObjectStorage

/// Where a new archive goes.
public enum ArchiveDestination: Sendable {
    /// A repository, under the snapshot's identifier.
    case repository(FileSystemStore)
    /// A file outside of any repository.
    case file(String)
    /// A pipe, such as standard output. What went through it can't be taken back.
    case pipe(PipeUpload)
}

extension ArchiveDestination {
    /// Calls `body` with a place to write an archive to; when it returns, the archive is synced,
    /// its index read back, and published. When anything fails nothing is left behind, except in a
    /// pipe.
    ///
    /// - Returns: what `body` wrote, and the key in the repository or the path of the file.
    /// - Throws: what `body` throws, `ObjectStorageError`, `ArchiveError`, `CancellationError`.
    func withArchive(
        _ id: SnapshotID, _ codec: Codec, _ observer: any JobObserver,
        _ body: (any ObjectStorage.ByteSink) async throws -> ArchiveWriter.Summary
    ) async throws -> (ArchiveWriter.Summary, place: String?) {
        try await withArchive(
            id.description, codec, note: nil, resuming: nil, observer, body)
    }

    /// What dead processes have left of archives that were to go here.
    ///
    /// - Throws: `ObjectStorageError`.
    func unfinishedUploads() async throws -> [UnfinishedUpload] {
        switch self {
        case .repository(let store): return try await store.unfinishedUploads()
        case .file(let path):
            let (store, key) = try await FileSystemStore.splitting(path)
            return try await store.unfinishedUploads().filter { $0.key.hasPrefix(key) }
        case .pipe: return []
        }
    }

    /// The same for an archive that another run can resume: when this one is killed or loses its
    /// server, what was written stays.
    ///
    /// - Parameters:
    ///   - note: what the other run must know, kept beside the archive; nil for nothing.
    ///   - unfinished: what this one resumes, which is removed when all is done.
    func withArchive(
        _ id: String, _ codec: Codec, note: [UInt8]?, resuming unfinished: UnfinishedUpload?,
        _ observer: any JobObserver,
        _ body: (any ObjectStorage.ByteSink) async throws -> ArchiveWriter.Summary
    ) async throws -> (ArchiveWriter.Summary, place: String?) {
        let store: FileSystemStore
        let key: String
        let place: String
        switch self {
        case .repository(let repository):
            store = repository
            key = SnapshotCatalog.key(id, codec)
            place = key
        case .file(let path):
            (store, key) = try await FileSystemStore.splitting(path)
            place = path
        case .pipe(let pipe):
            let summary = try await body(pipe)
            try await pipe.finish()
            return (summary, nil)
        }
        let spared = unfinished.map { [$0] } ?? []
        for name in try await store.removeStalePartials(except: spared) {
            observer.noticed("removed \(name), left behind by a backup that was killed")
        }
        let summary = try await store.withUpload(
            key: key, note: note, keepsUnfinished: Self.isWorthKeeping
        ) { upload in
            let summary = try await body(upload)
            observer.progressed(JobProgress(phase: .publishing))
            try await Self.readBack(upload, summary)
            // All is synced: what follows gives the file its name, and nothing else.
            try await RepositoryLocks.confirmHeld()
            return summary
        }
        if let unfinished { await store.remove(unfinished) }
        return (summary, place)
    }

    /// What a lost server has cut off can be resumed.
    private static func isWorthKeeping(_ error: any Error) -> Bool {
        switch error {
        case let error as SnapshotError: return error.code == .interrupted
        case let error as MongoError: return error.mayPass
        default: return false
        }
    }

    /// What was written is on stable storage by now: its index must come back as it was made.
    private static func readBack(
        _ upload: any ObjectUpload, _ summary: ArchiveWriter.Summary
    ) async throws {
        let reader = try await IndexedArchiveReader(
            ObjectSource(reader: try await upload.reader()))
        guard reader.index == summary.index, reader.seal == summary.seal else {
            throw ArchiveError(.checksumMismatch, "the index read back is not the one written")
        }
    }
}
