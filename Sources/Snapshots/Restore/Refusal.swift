public import ArchiveFormat

/// Why a restore would not begin: found out from names, definitions and what the server says of
/// itself, before anything is written. A preview reports all of them, a restore fails with them.
public struct Refusal: Hashable, Sendable {
    public var code: SnapshotError.Code
    /// The namespace on the server that it is about; nil for all of the restore.
    public var namespace: Namespace?
    /// What is in the way, and what to do about it; lowercase, no period.
    public var message: String

    init(_ code: SnapshotError.Code, _ namespace: Namespace? = nil, _ message: String) {
        self.code = code
        self.namespace = namespace
        self.message = message
    }
}

extension SnapshotError {
    /// What a restore fails with.
    ///
    /// - Returns: nil for no refusal.
    init?(_ refusals: [Refusal]) {
        guard let first = refusals.first else { return nil }
        let others = refusals.count - 1
        let more =
            others == 0
            ? ""
            : "; and \(others) more reason\(others == 1 ? "" : "s"), which a preview lists"
        self.init(first.code, first.message + more)
    }
}

/// A way to restore, as far as it decides what is refused.
public enum RestoreWay: String, Hashable, Sendable, CaseIterable {
    /// Each collection is loaded beside the live one and swapped in.
    case replace
    /// The same, and what is displaced is kept.
    case keepOld = "keep_old"
    /// Only the difference is written.
    case inPlace = "in_place"
    case merge

    /// That of a restore.
    init(_ options: Restore.Options) {
        self =
            options.mode == .merge
            ? .merge
            : options.isInPlace ? .inPlace : options.keepOld == nil ? .replace : .keepOld
    }

    var mode: Restore.Mode { self == .merge ? .merge : .replace }
}

/// A refusal of some ways to restore, as a preview reports it.
public struct ForetoldRefusal: Hashable, Sendable {
    public var refusal: Refusal
    /// The ways that it stands in; at least one.
    public var ways: [RestoreWay]

    /// What checks say of all ways, each refusal once.
    static func all(_ check: (RestoreWay) throws -> [Refusal]) rethrows -> [ForetoldRefusal] {
        var found: [ForetoldRefusal] = []
        for way in RestoreWay.allCases {
            for refusal in try check(way) {
                if let position = found.firstIndex(where: { $0.refusal == refusal }) {
                    found[position].ways.append(way)
                } else {
                    found.append(ForetoldRefusal(refusal: refusal, ways: [way]))
                }
            }
        }
        return found
    }
}
