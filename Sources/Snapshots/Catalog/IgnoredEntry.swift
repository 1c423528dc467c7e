internal import ObjectStorage

/// Something in a repository that is no snapshot, though somebody may have meant it to be one.
public struct IgnoredEntry: Hashable, Sendable {
    /// Its file's name, for messages.
    public let name: String
    /// Why it is none, and what to do: one sentence, no period.
    public let reason: String

    init(_ stray: StrayEntry) {
        name = stray.name
        reason =
            switch stray.kind {
            case .symbolicLink: "a symbolic link; move the archive itself into the repository"
            case .danglingLink: "a symbolic link to something that does not exist"
            case .folder: "a folder; archives in it are not listed"
            case .namedPipe: "a named pipe"
            case .socket: "a socket"
            case .device: "a device"
            case .unreadableName: "its name is not UTF-8"
            }
    }

    init(misnamed key: String) {
        name = key
        reason = "its name is not that of a snapshot, such as \(Self.example)"
    }

    private static let example = "20261123T084512Z-manual-3f9a1c.archive.gz (or .zst, .lz4)"
}

extension SnapshotCatalog {
    /// What is in the repository's folder that listings leave out, in order of its names; hidden
    /// files are not among it, and nothing is opened.
    ///
    /// - Throws: `ObjectStorageError` when the repository can't be read.
    public func ignored() async throws -> [IgnoredEntry] {
        let misnamed = try await store.list().map(\.key).filter { Self.id(ofKey: $0) == nil }
        let strays = try await store.strays()
        return (misnamed.map { IgnoredEntry(misnamed: $0) } + strays.map { IgnoredEntry($0) })
            .sorted { $0.name < $1.name }
    }
}
