internal import ArgumentParser
internal import MongoDriver
internal import Snapshots

/// `cairn restore`.
struct RestoreCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a snapshot back.",
        usage: "cairn restore (<id> | --archive <file>) --mode <mode> [--uri <uri>] [<options>]",
        discussion: """
            With --mode replace each collection is afterwards exactly the snapshot's: it is loaded \
            beside the live one, compared, and swapped in. A restore that fails leaves the live \
            data as it was. With --mode merge missing documents are inserted, differing ones \
            overwritten or kept, equal ones not written at all, and nothing is deleted.

            Examples:
              cairn restore latest --mode replace
              cairn restore 20261123T0845 --mode merge --ns-include 'shop.*'
              cairn restore latest --mode merge --on-conflict keep
              cairn restore latest --mode replace --ns-rename 'shop.*=copy.*'
              cairn restore --archive dump.archive.gz --mode replace
              ssh vault cat shop.archive.gz | cairn restore --archive - --mode replace
            """)

    @OptionGroup var source: ArchiveOptions

    /// What happens to what is there.
    @Option(
        help: ArgumentHelp(
            "What becomes of live data; there is no default.", valueName: "mode"))
    var mode: Restore.Mode

    /// What a merge does with differing documents.
    @Option(
        help: ArgumentHelp(
            "With --mode merge, what becomes of a live document that differs from the snapshot's: "
                + "it is overwritten, or kept. (default: overwrite)",
            valueName: "rule"))
    var onConflict: Restore.ConflictRule?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions

    /// New names for namespaces.
    @Option(
        help: ArgumentHelp(
            "Restore under another name, such as 'shop.*=copy.*'; may be repeated.",
            valueName: "from=to"))
    var nsRename: [String] = []

    /// Whether users and roles stay as they are.
    @Flag(help: "Leave users and roles alone.")
    var noUsersAndRoles = false

    /// Whether the archive's oplog is left out.
    @Flag(
        help: ArgumentHelp(
            "Do not replay the oplog of an archive that has one: what comes back is then not of "
                + "one instant."))
    var noOplog = false

    @OptionGroup var width: WidthOptions

    /// Chunks that are written at once.
    @Option(
        help: ArgumentHelp(
            "How many connections write at once, 1 to 64. (default: one a processor, at least 2 "
                + "and at most 8)",
            valueName: "count"))
    var writers: Int?

    /// Documents of one insert.
    @Option(
        help: ArgumentHelp(
            "The most documents of one insert, 1 to 100000. (default: 1000)", valueName: "count"))
    var batchDocuments: Int?

    @OptionGroup var rate: RateOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var cancellationMessage: String {
        switch mode {
        case .replace: "cancelled; the live data is as it was"
        case .merge: "cancelled; documents merged so far stay, and running it again goes on"
        }
    }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let options = try makeOptions(try await config.load())
        let archive = try await source.locate()
        let pool = try connection.makePool(
            connectionCountMax: options.connectionCount, isPatient: true)
        defer { pool.close() }
        let report = try await naming(archive.name) {
            try await Restore(archive.location, to: pool, options: options, observer: observer)
                .run()
        }
        return RestoreSummary(report: report, mode: mode, archive: archive).result
    }

    private func makeOptions(_ file: Configuration) throws -> Restore.Options {
        var options = Restore.Options(mode: mode, width: try width.resolved(file))
        guard onConflict == nil || mode == .merge else {
            throw Failure.usage("--on-conflict is for --mode merge: no other mode has conflicts")
        }
        options.conflictRule = onConflict ?? options.conflictRule
        options.writerCount =
            try WidthOptions.checked(writers, "--writers") ?? file.writers
            ?? max(2, WidthOptions.processorCount)
        let batchDocuments = batchDocuments ?? file.batchDocuments ?? options.batchDocumentCount
        guard (1...100_000).contains(batchDocuments) else {
            throw Failure.usage("--batch-documents is a number from 1 to 100000")
        }
        options.batchDocumentCount = batchDocuments
        options.rateLimiter = try rate.makeLimiter(file)
        options.filter = try selection.makeFilter()
        options.renames = try nsRename.map { try NamespaceRename($0) }
        options.restoresUsersAndRoles = !noUsersAndRoles
        options.replaysOplog = !noOplog
        return options
    }
}
