internal import ArchiveFormat
internal import BSONBytes

/// A collection as it is at some point of a replay: what it is called and looks like by then, and
/// where its documents are until all is put in place.
struct ReplayedCollection: Sendable {
    /// Its name, options and indexes by now.
    var choice: RestorePlan.Choice
    let target: any RestoreTarget
    /// Its position among the targets of the plan; nil when it was made during the backup.
    let origin: Int?

    /// Where its documents are.
    var staging: Namespace { target.staging }

    /// Whether its collection beside the live one has its options, rather than plain documents.
    var hasOptions: Bool {
        choice.descriptor.type == .collection && !choice.descriptor.isAuthorization
            && target is StagedCollection
    }
}

/// The collections of a replay, found by what entries call them.
///
/// By their identity, where the archive knows it: names change, and the archive has the names that
/// collections had when they were listed, not those at the start of the window. By name otherwise.
struct ReplayedCollections: Sendable {
    typealias Key = Int

    private var collections: [Key: ReplayedCollection] = [:]
    private var keysByUUID: [[UInt8]: Key] = [:]
    /// Of those whose identity is not known, by the collection that their documents are in.
    private var keysByName: [Namespace: Key] = [:]
    private var count = 0

    /// All, in the order in which they were added.
    var all: [ReplayedCollection] {
        collections.sorted { $0.key < $1.key }.map(\.value)
    }

    subscript(key: Key) -> ReplayedCollection? {
        get { collections[key] }
        set {
            remove(key)
            guard let newValue else { return }
            collections[key] = newValue
            if let uuid = newValue.choice.descriptor.uuid {
                keysByUUID[uuid] = key
            } else {
                keysByName[newValue.choice.descriptor.dataNamespace] = key
            }
        }
    }

    mutating func add(_ collection: ReplayedCollection) {
        count += 1
        self[count] = collection
    }

    /// - Parameter uuid: nil when the entry states none.
    func key(_ uuid: [UInt8]?, _ name: Namespace) -> Key? {
        if let uuid, let key = keysByUUID[uuid] { return key }
        if let key = keysByName[name] { return key }
        guard uuid == nil else { return nil }
        return collections.first { $0.value.choice.descriptor.dataNamespace == name }?.key
    }

    private mutating func remove(_ key: Key) {
        guard let old = collections.removeValue(forKey: key) else { return }
        if let uuid = old.choice.descriptor.uuid {
            keysByUUID[uuid] = nil
        } else {
            keysByName[old.choice.descriptor.dataNamespace] = nil
        }
    }
}

extension RestoreTarget {
    /// Where documents are until it is put in place: for users and roles the collection that the
    /// server merges them from.
    fileprivate var staging: Namespace {
        place?.namespace ?? (self as? AuthorizationTarget)?.staging ?? namespace
    }
}
