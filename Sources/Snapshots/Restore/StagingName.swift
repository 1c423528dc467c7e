internal import ObjectStorage

/// Names of the collections that a restore loads into before it swaps them in:
/// `cairn.staging.<owner>.<number>`. The owner tells whether the restore that made one still runs,
/// so that leftovers of killed ones are recognised.
struct StagingName: Hashable, Sendable, CustomStringConvertible {
    private static let prefix = "cairn.staging."

    let owner: OwnerToken
    let number: Int

    init(owner: OwnerToken = .current, number: Int) {
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
