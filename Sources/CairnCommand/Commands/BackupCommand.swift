internal import ArchiveFormat
internal import ArgumentParser
internal import MongoDriver
internal import ObjectStorage
internal import Snapshots

/// `cairn backup`.
struct BackupCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Take a snapshot of a server.",
        usage: "cairn backup [--uri <uri>] [--repository <folder> | --archive <file>] [<options>]",
        discussion: """
            The snapshot appears in the repository when all of it was written, synced and checked, \
            or not at all. Without a selection the whole server is backed up, users and roles too.

            Examples:
              cairn backup --repository /var/backups/cairn
              cairn backup --db shop --codec zstd --level 9
              cairn backup --ns-include 'shop.*' --ns-exclude 'shop.cache*'
              cairn backup --archive shop.archive.gz
              cairn backup --archive - | ssh vault 'cat > shop.archive.gz'
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var repository: RepositoryOptions

    /// Where the archive goes instead of a repository.
    @Option(
        help: ArgumentHelp(
            "Write to a new file outside of any repository; - is standard output, and --json "
                + "writes to standard error then.",
            valueName: "file"))
    var archive: String?

    /// The only database that is meant.
    @Option(help: ArgumentHelp("Only this database.", valueName: "database"))
    var db: String?

    @OptionGroup var selection: SelectionOptions

    /// How chunks are compressed.
    @Option(
        help: ArgumentHelp(
            "How the archive is compressed. (default: gzip)", valueName: "name"))
    var codec: CodecName?

    /// How hard the codec tries.
    @Option(
        help: ArgumentHelp(
            "The codec's level: gzip 1-12, zstd 1-19, lz4 1-12. (default: 2, 3, 1)",
            valueName: "number"))
    var level: Int?

    /// Where chunks are cut.
    @Option(
        help: ArgumentHelp(
            "Uncompressed size of a chunk, 256KiB to 16MiB. (default: 4MiB)", valueName: "size"))
    var chunkSize: ByteSize?

    /// A word in the snapshot's identifier.
    @Option(
        help: ArgumentHelp(
            "A word for the snapshot's identifier: lowercase letters, digits and underscores.",
            valueName: "word"))
    var kind = "manual"

    @OptionGroup var width: WidthOptions

    /// Cursors at once.
    @Option(
        help: ArgumentHelp(
            "How many cursors are read at once, 1 to 64. (default: 2)", valueName: "count"))
    var readers: Int?

    /// How a large collection is read.
    @Option(
        help: ArgumentHelp(
            "How large collections are read: as they are stored, by one cursor, or by ranges of "
                + "_id, by all readers at once, for servers with idle cores. (default: natural)",
            valueName: "order"))
    var readOrder: Backup.ReadOrder?

    @OptionGroup var rate: RateOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var writesArchiveToOutput: Bool { archive == "-" }

    var cancellationMessage: String {
        writesArchiveToOutput
            ? "cancelled; what was written to standard output is no whole archive"
            : "cancelled; nothing was left behind"
    }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let options = try makeOptions(try await config.load())
        let pool = try connection.makePool(
            connectionCountMax: options.readerCount + 1, isPatient: false)
        defer { pool.close() }
        let (destination, path) = try await makeDestination()
        let backup = Backup(
            pool, to: destination, options: options, environment: .system, observer: observer)
        do {
            let report = try await backup.run()
            return BackupSummary(report: report, path: path(report.place)).result
        } catch let error as ArchiveError {
            // Nothing is damaged that anybody has: there is no archive.
            throw Failure(
                .failed, error.code.rawValue, "the archive could not be written: \(error)")
        }
    }

    private func makeOptions(_ file: Configuration) throws -> Backup.Options {
        var options = Backup.Options(width: try width.resolved(file))
        options.filter = try selection.makeFilter(database: db)
        options.compression = try file.compression(codec: codec, level: level)
        guard SnapshotID.isKind(kind) else {
            throw Failure.usage(
                "--kind is 1 to 32 lowercase letters, digits and underscores, not \"\(kind)\"")
        }
        options.kind = kind
        options.readerCount =
            try WidthOptions.checked(readers, "--readers") ?? file.readers ?? options.readerCount
        options.readOrder = readOrder ?? file.readOrder ?? options.readOrder
        options.rateLimiter = try rate.makeLimiter(file)
        if let chunkSize = chunkSize ?? file.chunkSize {
            let allowed =
                ArchiveLimits.chunkTargetByteCountMin...ArchiveLimits.chunkTargetByteCountMax
            guard allowed.contains(chunkSize.byteCount) else {
                throw Failure.usage("--chunk-size is from 256KiB to 16MiB")
            }
            options.chunkTargetByteCount = chunkSize.byteCount
        }
        return options
    }

    /// Where the archive goes, and how the place that the report names becomes a path.
    private func makeDestination() async throws -> (
        ArchiveDestination, path: (String?) -> String?
    ) {
        guard let archive else {
            let repository = try await repository.open(create: true)
            return (.repository(repository.store), { $0.map(repository.path(ofKey:)) })
        }
        guard repository.repository == nil else { throw ArchiveOptions.bothPlaces }
        guard archive == "-" else {
            let path = RepositoryOptions.absolutePath(archive)
            return (.file(path), { _ in path })
        }
        guard !Console.isTerminal(Console.output) else {
            throw Failure.usage(
                "standard output is a terminal, and an archive is no text; write "
                    + "cairn backup --archive - > FILE")
        }
        return (
            .pipe(PipeUpload(descriptor: Console.output, name: "standard output")), { _ in nil }
        )
    }
}
