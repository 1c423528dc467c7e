internal import ArchiveFormat
internal import ObjectStorage
internal import Synchronization

/// Names of the collections that a restore has displaced and keeps for a while, so that it can be
/// undone: `cairn.kept.<job>.<expiry>.<was>.<collection>`. All that there is to know of one is in
/// its name: nothing else has to be kept beside it.
struct KeptName: Hashable, Sendable, CustomStringConvertible {
    /// What was there before the restore.
    enum Was: String, Sendable {
        /// This collection.
        case live
        /// None; the kept one is empty and stands for that.
        case absent
    }

    fileprivate static let prefix = "cairn.kept."

    let job: JobID
    /// In seconds since 1970, by the server's clock.
    let expiry: Int64
    let was: Was
    /// Its name before.
    let collection: String

    init(job: JobID, expiry: Int64, was: Was, collection: String) {
        self.job = job
        self.expiry = expiry
        self.was = was
        self.collection = collection
    }

    /// The end of the year 9999.
    private static let expiryMax = ArchiveLimits.dates.upperBound / 1000

    /// Reads a collection's name; nil for one that is not kept.
    init?(_ name: String) {
        guard name.hasPrefix(Self.prefix) else { return nil }
        self.init(fields: name.dropFirst(Self.prefix.count))
    }

    fileprivate init?(fields: Substring) {
        let parts = fields.split(
            separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let job = JobID(parts[0]), let expiry = Int64(parts[1], radix: 16),
            (0...Self.expiryMax).contains(expiry),
            let was = Was(rawValue: String(parts[2])), !parts[3].isEmpty
        else { return nil }
        self.init(job: job, expiry: expiry, was: was, collection: String(parts[3]))
    }

    fileprivate var fields: String {
        "\(job).\(String(expiry, radix: 16)).\(was.rawValue).\(collection)"
    }

    var description: String { Self.prefix + fields }
}

/// A collection that is just being displaced: `cairn.swap.<owner>.` and the rest as in the name
/// under which it will be kept. It has this name only between two renames, so one whose owner is
/// dead tells that a restore was killed right there.
struct SwapName: Hashable, Sendable, CustomStringConvertible {
    private static let prefix = "cairn.swap."

    let owner: OwnerToken
    let kept: KeptName

    init(_ kept: KeptName) {
        owner = .current
        self.kept = kept
    }

    /// Reads a collection's name; nil for any other.
    init?(_ name: String) {
        guard name.hasPrefix(Self.prefix) else { return nil }
        let parts = name.dropFirst(Self.prefix.count).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let owner = OwnerToken(parsing: String(parts[0])),
            let kept = KeptName(fields: parts[1])
        else { return nil }
        self.owner = owner
        self.kept = kept
    }

    var description: String { "\(Self.prefix)\(owner).\(kept.fields)" }

    /// What can be said about the swap.
    var state: OwnerToken.State {
        guard owner == .current else { return owner.state }
        return Self.underWay.withLock { $0.contains(self) } ? .alive : .dead
    }

    /// Swaps of this process, which may live on after one of them failed.
    private static let underWay = Mutex<Set<SwapName>>([])

    /// Calls `body` while the swap counts as alive.
    func whileUnderWay<Result>(_ body: () async throws -> Result) async throws -> Result {
        Self.underWay.withLock { _ = $0.insert(self) }
        defer { Self.underWay.withLock { _ = $0.remove(self) } }
        return try await body()
    }

    /// The most bytes that a namespace can have which is to be displaced: with what comes before
    /// the collection's name it must be one that a server allows.
    static let namespaceByteCountMax: Int = {
        let job = 16 + 1 + 7 + 1 + 6
        let fields = job + 1 + 9 + 1 + KeptName.Was.absent.rawValue.utf8.count + 1
        return 255 - prefix.utf8.count - OwnerToken.byteCountMax - 1 - fields
    }()
}

/// Whether a collection is one of Cairn's own, which no backup takes and no restore writes to.
enum ReservedName {
    /// Where users and roles are loaded, in `admin`: the role `restore` may write to these two
    /// names only.
    static let users = "tempusers", roles = "temproles"

    static func contains(_ collection: String) -> Bool {
        StagingName(collection) != nil || KeptName(collection) != nil
            || SwapName(collection) != nil
    }
}
