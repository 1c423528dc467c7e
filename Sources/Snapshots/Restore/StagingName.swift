internal import ArchiveFormat
internal import ObjectStorage
internal import Synchronization

/// Names of the collections that a restore loads into before it swaps them in:
/// `cairn.staging.<owner>.<number>`. The owner tells whether the restore that made one still runs,
/// so that leftovers of killed ones are recognised.
struct StagingName: Hashable, Sendable, CustomStringConvertible {
    private static let prefix = "cairn.staging."

    let owner: OwnerToken
    let number: Int

    init(owner: OwnerToken, number: Int) {
        self.owner = owner
        self.number = number
    }

    /// Reads a collection's name; nil for one that is no staging collection.
    init?(_ collection: String) {
        guard collection.hasPrefix(Self.prefix) else { return nil }
        let parts = collection.dropFirst(Self.prefix.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let owner = OwnerToken(parsing: String(parts[0])),
            let number = Int(parts[1])
        else { return nil }
        self.init(owner: owner, number: number)
    }

    var description: String { "\(Self.prefix)\(owner).\(number)" }
}

/// A collection that a restore loads into, beside the live one that it is for.
struct StagingPlace: Sendable {
    private let claim: StagingClaim
    let namespace: Namespace

    /// One that nobody else has; not made yet.
    init(in database: String) {
        claim = StagingClaim()
        namespace = Namespace(database, claim.name.description)
    }
}

/// A staging name that no other restore of this process has, for as long as this object lives. Two
/// restores may load into one database at once, and a process may live on after it could not clean
/// up; so the name of a process alone does not tell what is in use.
final class StagingClaim: Sendable {
    private struct Claims {
        var claimed: Set<Int> = []
        var count = 0
    }
    private static let claims = Mutex(Claims())

    let name: StagingName

    init() {
        let number = Self.claims.withLock { claims in
            claims.count += 1
            claims.claimed.insert(claims.count)
            return claims.count
        }
        name = StagingName(owner: .current, number: number)
    }

    deinit {
        let number = name.number
        Self.claims.withLock { _ = $0.claimed.remove(number) }
    }

    /// Whether a restore of this process still uses the name.
    static func isClaimed(_ name: StagingName) -> Bool {
        name.owner == .current && claims.withLock { $0.claimed.contains(name.number) }
    }
}
