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
            "With --keep-old, for how long, such as 24h or 30d.", valueName: "time"))
    var keepFor = TimeSpan(seconds: 7 * 86400)

    /// The job to undo.
    @Option(
        help: ArgumentHelp(
            "Put back what this restore, or this undo, has displaced and kept.",
            valueName: "job"))
    var undo: String?

    /// What the restore shall keep; nil for nothing.
    func kept(_ environment: JobEnvironment) -> Restore.KeepOld? {
        guard keepOld else { return nil }
        return Restore.KeepOld(
            job: JobID(kind: "restore", environment), seconds: keepFor.seconds)
    }
}
