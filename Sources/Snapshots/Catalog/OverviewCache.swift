internal import ObjectStorage
internal import Synchronization

/// What trailers and notes said, as long as the files are the same. Bounded: it holds what the last
/// listing had, of at most `entryCountMax` snapshots, about a kilobyte each.
final class OverviewCache: Sendable {
    /// Snapshots beyond these are read again each time.
    static let entryCountMax = 16_384

    /// What can be kept of a snapshot, which never changes.
    enum Content: Sendable {
        case facts(SnapshotCatalog.Facts)
        /// Why not; lasting when it follows from the bytes.
        case unreadable(String, isLasting: Bool)

        fileprivate var isLasting: Bool {
            if case .unreadable(_, let isLasting) = self { return isLasting }
            return true
        }
    }

    private struct State {
        var contents: [StoredObject: Content] = [:]
        var verifications: [StoredObject: Verification?] = [:]
    }

    private let state = Mutex(State())

    /// What is known of an object as it is now.
    func content(of object: StoredObject) -> Content? {
        state.withLock { $0.contents[object] }
    }

    /// What is known of a note as it is now; nil when nothing is, and nil within for one that can't
    /// be understood.
    func verification(of mark: StoredObject) -> Verification?? {
        state.withLock { $0.verifications[mark] }
    }

    /// Keeps these, and forgets all others.
    func replace(
        contents: [StoredObject: Content], verifications: [StoredObject: Verification?]
    ) {
        guard contents.count <= Self.entryCountMax, verifications.count <= Self.entryCountMax
        else {
            return
        }
        let contents = contents.filter(\.value.isLasting)
        state.withLock { $0 = State(contents: contents, verifications: verifications) }
    }
}
