internal import ArgumentParser
internal import Snapshots

/// Whether what a restore displaces is kept, and what is undone.
struct KeepOptions: ParsableArguments, Sendable {
    /// Whether it is kept.
    @Flag(
        help: ArgumentHelp(
            "With --mode replace, keep each displaced collection under a name that begins with "
                + "cairn.kept, so that the restore can be undone."))
    var keepOld = false

    /// For how long.
    @Option(
        help: ArgumentHelp(
            "With --keep-old, for how long, such as 24h or 30d. (default: 7d)",
            valueName: "time"))
    var keepFor: TimeSpan?

    /// The job to undo.
    @Option(
        help: ArgumentHelp(
            "Put back what this restore, or this undo, has displaced and kept.",
            valueName: "job"))
    var undo: String?

    private static let standard = TimeSpan(seconds: 7 * 86400)

    /// What the restore shall keep; nil for nothing.
    ///
    /// - Throws: a usage failure for a time without anything to be kept, or that is none.
    func kept(_ environment: JobEnvironment) throws -> Restore.KeepOld? {
        guard keepOld else {
            guard keepFor == nil else { throw Failure.usage("--keep-for is for --keep-old") }
            return nil
        }
        let time = keepFor ?? Self.standard
        guard time.seconds > 0 else { throw Failure.usage("--keep-for is at least 1s") }
        return Restore.KeepOld(job: JobID(kind: "restore", environment), seconds: time.seconds)
    }
}
