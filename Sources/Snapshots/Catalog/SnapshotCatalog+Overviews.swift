public import ArchiveEngine
public import ArchiveFormat
internal import ObjectStorage

extension SnapshotCatalog {
    /// Snapshots whose trailers are read at once.
    private static let readCountMax = 8

    /// All snapshots, oldest first, in short. A damaged one is listed with its defect rather than
    /// left out.
    ///
    /// Cost: two reads a snapshot the first time, `readCountMax` of them at once; later only the
    /// folder is listed, and what is new or another is read.
    /// - Throws: `ObjectStorageError` when the repository can't be read.
    public func overviews() async throws -> [Overview] {
        let snapshots = try await store.list().compactMap { object in
            Self.id(ofKey: object.key).map { (id: $0, object: object) }
        }
        let contents = try await contents(of: snapshots.map(\.object))
        let verifications = try await verifications()
        cache.replace(contents: contents, verifications: verifications)
        let latest = Dictionary(
            verifications.map { ($0.key, $1) }, uniquingKeysWith: { first, _ in first })
        let ordered = snapshots.compactMap { id, object in
            contents[object].map { content in
                Self.overview(id, object, content, latest[object.key] ?? nil)
            }
        }
        .map { (overview: $0, place: Self.order($0)) }
        .sorted { $0.place < $1.place }
        return ordered.map(\.overview)
    }

    /// The snapshot of that identifier, in short.
    ///
    /// - Throws: `notFound`; `ObjectStorageError` when the repository can't be read.
    public func overview(of id: SnapshotID) async throws -> Overview {
        let found = try await overviews().first { $0.id == id }
        guard let found else { throw Self.notFound(id.description) }
        return found
    }

    private static func overview(
        _ id: SnapshotID, _ object: StoredObject, _ content: OverviewCache.Content,
        _ verification: Verification?
    ) -> Overview {
        var overview = Overview(
            id: id, key: object.key, storedByteCount: object.byteCount, facts: nil, error: nil,
            verification: nil)
        switch content {
        case .facts(let facts):
            overview.facts = facts
            if verification?.seal == facts.seal { overview.verification = verification }
        case .unreadable(let error, _):
            overview.error = error
        }
        return overview
    }

    private static func order(_ overview: Overview) -> (Substring, Int64, String) {
        (overview.id.moment, overview.facts?.startedAt ?? .max, overview.id.description)
    }

    /// What is known of each, or can be read now.
    private func contents(
        of objects: [StoredObject]
    ) async throws -> [StoredObject: OverviewCache.Content] {
        var contents: [StoredObject: OverviewCache.Content] = [:]
        var unknown: [StoredObject] = []
        for object in objects {
            if let content = cache.content(of: object) {
                contents[object] = content
            } else {
                unknown.append(object)
            }
        }
        var rest = unknown[...]
        try await withOrderedWindow(
            width: Self.readCountMax, next: { rest.popFirst() },
            transform: { object in (object, try await content(ofKey: object.key)) },
            deliver: { object, content in contents[object] = content })
        return contents
    }

    /// Nil when it has gone meanwhile.
    private func content(ofKey key: String) async throws -> OverviewCache.Content? {
        do {
            let source = ObjectSource(reader: try await store.openReader(key: key))
            let reader = try await IndexedArchiveReader(source)
            return .facts(Facts(reader.index.manifest, seal: reader.seal))
        } catch let error as ObjectStorageError where error.code == .notFound {
            return nil
        } catch let error as CancellationError {
            throw error
        } catch {
            // The file stays as it is; a disk that fails may not.
            let isLasting =
                error is ArchiveError || (error as? ObjectStorageError)?.code == .truncated
            let reason = (error as? ObjectStorageError)?.summary ?? "\(error)"
            return .unreadable(reason, isLasting: isLasting)
        }
    }

    /// The notes of all verifications, by their files; nil for one that can't be understood.
    func verifications() async throws -> [StoredObject: Verification?] {
        var found: [StoredObject: Verification?] = [:]
        for mark in try await store.marks(Verification.mark) {
            if let known = cache.verification(of: mark) {
                found[mark] = .some(known)
            } else {
                found[mark] = .some(try await verification(markedAs: mark.key))
            }
        }
        return found
    }

    private func verification(markedAs key: String) async throws -> Verification? {
        guard let text = try await store.readMark(key, Verification.mark) else { return nil }
        do {
            return try Verification(text: text)
        } catch {
            // Of a later version, or damaged: as if there were none.
            return nil
        }
    }
}

extension SnapshotCatalog {
    /// The manifest of a snapshot, with all its namespaces.
    ///
    /// - Throws: `notFound`; `ArchiveError` for a damaged one; `ObjectStorageError`.
    public func manifest(of id: SnapshotID) async throws -> Manifest {
        try await open(id).index.manifest
    }

    /// Opens a snapshot: prelude, manifest, seal and chunks.
    ///
    /// - Throws: `notFound`; `ArchiveError` for a damaged one; `ObjectStorageError`.
    public func open(_ id: SnapshotID) async throws -> IndexedArchiveReader {
        try await IndexedArchiveReader(source(ofKey: key(of: id)))
    }

    /// Key of the snapshot with that identifier.
    ///
    /// - Throws: `notFound`; `ObjectStorageError` when the repository can't be read.
    public func key(of id: SnapshotID) async throws -> String {
        let key = try await store.list().map(\.key).first { Self.id(ofKey: $0) == id }
        guard let key else { throw Self.notFound(id.description) }
        return key
    }

    /// The identifier of a snapshot that a user names; see `key(for:)`.
    ///
    /// - Throws: `notFound`, or `usage` when several fit; `ObjectStorageError`.
    public func id(for name: String) async throws -> SnapshotID {
        let key = try await key(for: name)
        guard let id = Self.id(ofKey: key) else { throw Self.notFound(name) }
        return id
    }

    /// The last deep check of a snapshot as it is now; nil when there was none.
    ///
    /// - Throws: `notFound`; `ObjectStorageError`.
    public func verification(of id: SnapshotID) async throws -> Verification? {
        try await overview(of: id).verification
    }

    /// Keeps what came of a deep check beside the snapshot.
    ///
    /// - Throws: `notFound`; `ObjectStorageError`.
    public func record(_ verification: Verification, for id: SnapshotID) async throws {
        try RepositoryLocks.checkHeld()
        try await store.writeMark(try verification.text, try await key(of: id), Verification.mark)
    }

    /// Removes a snapshot for good, and what was kept beside it. Who may do that, and when, is for
    /// `SnapshotRemoval` and `Retention` to say.
    ///
    /// - Throws: `ObjectStorageError`.
    func remove(key: String) async throws {
        try await RepositoryLocks.confirmHeld()
        try await store.delete(key: key)
        try await store.removeMark(key, Verification.mark)
    }
}
