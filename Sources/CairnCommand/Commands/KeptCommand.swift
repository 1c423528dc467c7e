internal import ArgumentParser
internal import MongoDriver
internal import Snapshots

/// `cairn kept`.
struct KeptCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "kept",
        abstract: "List what restores have displaced and keep for an undo.",
        usage: "cairn kept [--clean] [--uri <uri>] [<options>]",
        discussion: """
            What a restore with --keep-old has displaced stays on its server, in the same \
            database, until its time is over; the next restore, or --clean, removes it then.

            Examples:
              cairn kept
              cairn kept --clean
            """)

    /// Whether to remove what has expired.
    @Flag(help: "Remove what has expired, and what killed restores have left behind, before.")
    var clean = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    var isItsOutput: Bool { !clean }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let pool = try connection.makePool(connectionCountMax: 2, isPatient: true)
        defer { pool.close() }
        if clean { try await KeptCollections.clean(pool, observer) }
        return KeptSummary(entries: try await KeptCollections.list(pool)).result
    }
}
