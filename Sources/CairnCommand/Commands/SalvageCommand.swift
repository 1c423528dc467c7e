internal import ArchiveFormat
internal import ArgumentParser
internal import Snapshots

/// `cairn salvage`.
struct SalvageCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "salvage",
        abstract: "Make a whole archive of what is left of a damaged one.",
        usage: "cairn salvage <file> [--repository <folder> | --to <file>] [<options>]",
        discussion: """
            Every chunk that is still whole is taken over into a new archive, which can be \
            verified like any other, and what is gone is told for each collection. \
            The damaged file is not changed. Archives of mongodump, and those from a pipe, are \
            read up to the first defect. The exit code is 3 when something is gone.

            Examples:
              cairn salvage damaged.archive.gz --to saved.archive.gz
              cairn salvage /var/backups/cairn/20261123T084512Z-manual-3f9a1c.archive.gz
            """)

    /// The archive.
    @Argument(
        help: ArgumentHelp("The damaged archive; - is standard input.", valueName: "file"))
    var file: String

    @OptionGroup var repository: RepositoryOptions

    /// Where the new archive goes instead of a repository.
    @Option(
        help: ArgumentHelp(
            "Write to a new file outside of any repository; - is standard output, and --json "
                + "writes to standard error then.",
            valueName: "file"))
    var to: String?

    @OptionGroup var width: WidthOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var writesArchiveToOutput: Bool { to == "-" }

    var cancellationMessage: String { "cancelled; the damaged archive is as it was" }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let archive = try ArchiveOptions.located(file: file)
        let place = try await NewArchivePlace(file: to, option: "--to", repository)
        let options = Salvage.Options(
            width: try width.resolved(try await config.load()),
            temporaryFolder: place.folder ?? ProcessEnvironment["TMPDIR"] ?? "/tmp")
        let report = try await naming(archive.name) {
            try await lock.using(try await archive.inRepository(), as: .read, observer) {
                try await Salvage(
                    archive.location, to: place.destination, options: options,
                    environment: .system, observer: observer
                ).run()
            }
        }
        return SalvageSummary(report: report, archive: archive, path: place.path(report.place))
            .result
    }
}
