internal import ArchiveFormat
internal import ArgumentParser
internal import Snapshots

/// `cairn index`.
struct IndexCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Convert an archive of mongodump to a snapshot with an index.",
        usage: "cairn index <file> [--repository <folder> | --to <file>] [<options>]",
        discussion: """
            Afterwards every chunk has its checksum, and single collections, ranges and documents \
            are found without reading the rest. Documents stay as they are, byte for byte. An \
            archive of Cairn's is taken too, to compress it in another way. No server is needed.

            Where mongodump wrote several collections at once, all but one wait in a temporary \
            file beside the new archive.

            Examples:
              cairn index dump.archive.gz
              cairn index dump/
              cairn index dump.archive.gz --to shop.archive.zst --codec zstd
              ssh vault cat dump.archive.gz | cairn index - --to shop.archive.gz
            """)

    /// The archive.
    @Argument(
        help: ArgumentHelp(
            "An archive that mongodump --archive or Cairn wrote, a folder that mongodump wrote, or "
                + "one .bson file of it; - is standard input.",
            valueName: "file"))
    var file: String

    @OptionGroup var repository: RepositoryOptions

    /// Where the new archive goes instead of a repository.
    @Option(
        help: ArgumentHelp(
            "Write to a new file outside of any repository; - is standard output, and --json "
                + "writes to standard error then.",
            valueName: "file"))
    var to: String?

    @OptionGroup var encoding: EncodingOptions
    @OptionGroup var width: WidthOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var writesArchiveToOutput: Bool { to == "-" }

    var cancellationMessage: String {
        writesArchiveToOutput
            ? "cancelled; what was written to standard output is no whole archive"
            : "cancelled; nothing was left behind"
    }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let configuration = try await config.load()
        let archive = try ArchiveOptions.located(file: file)
        let place = try await NewArchivePlace(file: to, option: "--to", repository)
        var options = Conversion.Options(
            width: try width.resolved(configuration),
            temporaryFolder: place.folder ?? ProcessEnvironment["TMPDIR"] ?? "/tmp")
        options.compression = try encoding.compression(configuration)
        options.chunkTargetByteCount = try encoding.chunkTargetByteCount(configuration)
        let report = try await naming(archive.name) {
            try await Conversion(
                archive.location, to: place.destination, options: options, environment: .system,
                observer: observer
            ).run()
        }
        return SnapshotSummary(report, path: place.path(report.place)).result
    }
}
