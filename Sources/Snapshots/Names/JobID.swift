/// The name of one run of a restore or an undo: when it was begun (UTC), what it is, and six random
/// digits, such as `20261124T084512Z-restore-3f9a1c`.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
    private let name: SnapshotID

    public var description: String { name.description }

    /// Makes a new name.
    ///
    /// - Parameter kind: what the job does, such as "restore".
    public init(kind: String, _ environment: JobEnvironment) {
        name = SnapshotID(
            milliseconds: environment.now(), kind: kind, random: environment.random())
    }

    /// Takes a name that has the form of one; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let name = SnapshotID(text) else { return nil }
        self.name = name
    }
}
