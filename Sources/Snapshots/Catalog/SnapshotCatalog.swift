internal import ArchiveEngine
public import ArchiveFormat
public import ObjectStorage

/// The snapshots of a repository: one file each, `<id>.archive.gz` (or `.zst`, `.lz4`). All that is
/// known about a snapshot is in its file, but for what came of verifying it.
public struct SnapshotCatalog: Sendable {
    /// A snapshot as a listing has it.
    public struct Entry: Sendable {
        public var id: SnapshotID
        /// Key of the object in the repository.
        public var key: String
        public var storedByteCount: UInt64
        /// What the snapshot says of itself, or why it could not be read.
        public var manifest: Result<Manifest, any Error>
    }

    private static let infix = ".archive."
    let store: any ObjectStore
    /// Shared by the copies of a catalog.
    let cache = OverviewCache()

    public init(_ store: any ObjectStore) {
        self.store = store
    }

    /// All snapshots, oldest first. A damaged one is listed with its defect rather than left out.
    ///
    /// Cost: two reads a snapshot.
    /// - Throws: `ObjectStorageError` when the repository can't be read.
    public func list() async throws -> [Entry] {
        var entries: [Entry] = []
        for object in try await store.list() {
            guard let id = Self.id(ofKey: object.key) else { continue }
            entries.append(
                Entry(
                    id: id, key: object.key, storedByteCount: object.byteCount,
                    manifest: await manifest(ofKey: object.key)))
        }
        return entries.sorted { Self.order($0.id, $0.manifest) < Self.order($1.id, $1.manifest) }
    }

    private func manifest(ofKey key: String) async -> Result<Manifest, any Error> {
        do {
            let source = ObjectSource(reader: try await store.openReader(key: key))
            return .success(try await IndexedArchiveReader(source).index.manifest)
        } catch {
            return .failure(error)
        }
    }

    /// Identifiers tell the second; within one, the manifest tells which was begun first. One that
    /// can't be read comes last in its second, so that it is not passed over.
    private static func order(
        _ id: SnapshotID, _ manifest: Result<Manifest, any Error>
    ) -> (Substring, Int64, String) {
        guard case .success(let manifest) = manifest else {
            return (id.moment, .max, id.description)
        }
        return (id.moment, manifest.startedAt, id.description)
    }

    /// Key of the snapshot that a user names: by its identifier, by a beginning of it that fits
    /// only one, or as "latest".
    ///
    /// - Throws: `notFound`, or `usage` when several fit.
    public func key(for name: String) async throws -> String {
        let keys = try await store.list().map(\.key).filter { Self.id(ofKey: $0) != nil }.sorted()
        if name == "latest" { return try await latest(of: keys) }
        let fitting = keys.filter { $0 == name || $0.hasPrefix(name) && !name.isEmpty }
        guard let key = fitting.first else {
            if let entry = try await ignored().first(where: { $0.name.hasPrefix(name) }),
                !name.isEmpty
            {
                throw SnapshotError(
                    .notFound, "\"\(entry.name)\" in the repository is no snapshot: \(entry.reason)"
                )
            }
            throw Self.notFound(name)
        }
        guard fitting.count == 1 else {
            throw SnapshotError(
                .usage, "\"\(name)\" fits \(fitting.count) snapshots; give more of the identifier")
        }
        return key
    }

    static func notFound(_ name: String) -> SnapshotError {
        SnapshotError(
            .notFound,
            "there is no snapshot \"\(name)\" in the repository; \"cairn list\" shows those "
                + "there are")
    }

    /// The newest that a backup took. One that was written anew or salvaged is newer than its data,
    /// and may lack some of it.
    private func latest(of keys: [String]) async throws -> String {
        let others = SnapshotID.derivedKinds
        let taken = keys.compactMap { key in Self.id(ofKey: key).map { (key: key, id: $0) } }
            .filter { !others.contains($0.id.kind) }
        if let last = taken.last {
            let rivals = taken.filter { $0.id.moment == last.id.moment }
            guard rivals.count > 1 else { return last.key }
            var ordered: [(place: (Substring, Int64, String), key: String)] = []
            for rival in rivals {
                let manifest = await manifest(ofKey: rival.key)
                ordered.append((Self.order(rival.id, manifest), rival.key))
            }
            return ordered.max { $0.place < $1.place }?.key ?? last.key
        }
        guard keys.isEmpty else {
            throw SnapshotError(
                .notFound,
                "no snapshot in the repository was taken by a backup, so none is the latest; "
                    + "name one by its identifier")
        }
        throw SnapshotError(
            .notFound, "there is no snapshot in the repository yet; \"cairn backup\" takes one")
    }

    /// Identifier of the snapshot with that key; nil for a key that is not a snapshot's.
    static func id(ofKey key: String) -> SnapshotID? {
        guard let dot = key.firstIndex(of: ".") else { return nil }
        let isArchive = Codec.allCases.contains { codec in
            key[dot...] == infix + codec.fileExtension
        }
        return isArchive ? SnapshotID(key[..<dot]) : nil
    }

    static func key(_ id: String, _ codec: Codec) -> String {
        id + infix + codec.fileExtension
    }

    func source(ofKey key: String) async throws -> ObjectSource {
        do {
            return ObjectSource(reader: try await store.openReader(key: key))
        } catch let error as ObjectStorageError where error.code == .notFound {
            // Either somebody has just removed it, or the whole repository is gone.
            _ = try await store.list()
            throw Self.notFound(Self.id(ofKey: key)?.description ?? key)
        }
    }
}
