internal import ArchiveFormat
internal import ObjectStorage
internal import Synchronization

/// Names of the collections that a restore loads into before it swaps them in:
/// `cairn.staging.<owner>.<number>.<load>`. The owner tells whether the restore that made one still
/// runs, so that leftovers of killed ones are recognised; the load, what was to be in it, so that
/// another restore of the same can resume it.
struct StagingName: Hashable, Sendable, CustomStringConvertible {
    private static let prefix = "cairn.staging."

    let owner: OwnerToken
    let number: Int
    /// Nil for one that nobody can resume.
    let load: StagedLoad?

    init(owner: OwnerToken, number: Int, load: StagedLoad? = nil) {
        self.owner = owner
        self.number = number
        self.load = load
    }

    /// Reads a collection's name; nil for one that is no staging collection.
    init?(_ collection: String) {
        guard collection.hasPrefix(Self.prefix) else { return nil }
        let parts = collection.dropFirst(Self.prefix.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let owner = OwnerToken(parsing: String(parts[0])),
            let number = Int(parts[1])
        else { return nil }
        let load = parts.count == 3 ? StagedLoad(parsing: String(parts[2])) : nil
        guard parts.count == 2 || load != nil else { return nil }
        self.init(owner: owner, number: number, load: load)
    }

    var description: String {
        "\(Self.prefix)\(owner).\(number)" + (load.map { ".\($0)" } ?? "")
    }

    /// What can be said about the restore that made it.
    var state: OwnerToken.State {
        guard owner == .current else { return owner.state }
        return StagingClaim.isClaimed(self) ? .alive : .dead
    }
}

/// What a staging collection is to hold in the end: a namespace of one archive under its new name,
/// as sixteen hexadecimal digits.
struct StagedLoad: Hashable, Sendable, CustomStringConvertible {
    private static let digitCount = 16

    let description: String

    /// - Parameter seal: the archive's.
    init(_ source: Namespace, of seal: SHA256Digest, as target: Namespace) {
        let text = "\(source)\u{0}\(target)\u{0}"
        let digest = SHA256Digest(of: seal.bytes + Array(text.utf8))
        description = String(digest.description.prefix(Self.digitCount))
    }

    fileprivate init?(parsing text: String) {
        guard text.utf8.count == Self.digitCount, text.allSatisfy(\.isHexDigit) else { return nil }
        description = text
    }
}

/// A collection that a restore loads into, beside the live one that it is for.
struct StagingPlace: Sendable {
    private let claim: StagingClaim
    let namespace: Namespace

    /// One that nobody else has; not made yet.
    ///
    init(in database: String) {
        claim = StagingClaim()
        namespace = Namespace(database, claim.name.description)
    }

    /// One for what is to take the place of a collection.
    ///
    /// - Parameter load: what it is to hold in the end; nil when nobody could resume it.
    init(beside target: Namespace, for load: StagedLoad? = nil) {
        claim = StagingClaim(for: load, target: target)
        namespace = Namespace(target.database, claim.name.description)
    }
}

/// A staging name that no other restore of this process has, for as long as this object lives. Two
/// restores may load into one database at once, and a process may live on after it could not clean
/// up; so the name of a process alone does not tell what is in use.
final class StagingClaim: Sendable {
    private struct Claims {
        /// What each is for, where that is known.
        var claimed: [Int: Namespace?] = [:]
        var count = 0
    }
    private static let claims = Mutex(Claims())

    let name: StagingName

    /// - Parameter target: the collection whose place it is to take.
    init(for load: StagedLoad? = nil, target: Namespace? = nil) {
        let number = Self.claims.withLock { claims in
            claims.count += 1
            claims.claimed.updateValue(target, forKey: claims.count)
            return claims.count
        }
        name = StagingName(owner: .current, number: number, load: load)
    }

    deinit {
        let number = name.number
        Self.claims.withLock { _ = $0.claimed.removeValue(forKey: number) }
    }

    /// Whether a restore of this process still uses the name.
    static func isClaimed(_ name: StagingName) -> Bool {
        name.owner == .current && claims.withLock { $0.claimed[name.number] != nil }
    }

    /// The collection whose place a staging collection of this process is to take.
    static func target(of name: StagingName) -> Namespace? {
        guard name.owner == .current else { return nil }
        return claims.withLock { $0.claimed[name.number] ?? nil }
    }
}
