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
              cairn backup --consistency oplog
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

    @OptionGroup var encoding: EncodingOptions

    /// A word in the snapshot's identifier.
    @Option(
        help: ArgumentHelp(
            "A word for the snapshot's identifier: lowercase letters, digits and underscores.",
            valueName: "word"))
    var kind = "manual"

    /// What a person says about it.
    @Option(
        help: ArgumentHelp(
            "A description of the snapshot; list and show print it.", valueName: "text"))
    var description: String?

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

    /// How the collections come to be of one instant.
    @Option(
        help: ArgumentHelp(
            "How all collections come to be of one instant: by a snapshot read, or by taking the "
                + "oplog of the backup's time with them, for backups that take longer than the "
                + "server keeps history; none is not at all. auto is a snapshot, and the oplog "
                + "when that is lost. (default: auto)",
            valueName: "how"))
    var consistency: Backup.Consistency?

    /// Whether to resume what a killed backup has left.
    @Flag(
        help: ArgumentHelp(
            "Resume what a killed or interrupted backup of the same has left in the repository: "
                + "what it had completed is taken over. When the server no longer has what it was "
                + "reading, it starts again."))
    var resume = false

    @OptionGroup var endurance: EnduranceOptions
    @OptionGroup var rate: RateOptions
    @OptionGroup var lock: LockOptions
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
            connectionCountMax: options.readerCount + 1, isPatient: false,
            waitsForServer: endurance.waitsForServer)
        defer { pool.close() }
        let place = try await NewArchivePlace(file: archive, option: "--archive", repository)
        let backup = Backup(
            pool, to: place.destination, options: options, environment: .system,
            observer: observer)
        do {
            let report = try await locked(place, options, pool, observer) {
                try await backup.run()
            }
            return SnapshotSummary(report, path: place.path(report.place)).result
        } catch let error as ArchiveError {
            // Nothing is damaged that anybody has: there is no archive.
            throw Failure(
                .failed, error.code.rawValue, "the archive could not be written: \(error)")
        }
    }

    /// Nobody else works on the same collections meanwhile, as far as the repository's users know
    /// of each other.
    private func locked(
        _ place: NewArchivePlace, _ options: Backup.Options, _ pool: MongoPool,
        _ observer: any JobObserver, _ body: @escaping () async throws -> Backup.Report
    ) async throws -> Backup.Report {
        guard let repository = place.repository else { return try await body() }
        let deployment = try await Deployment(
            pool, enduranceSeconds: options.enduranceSeconds, observer: observer)
        return try await repository.locks.withLock(
            .backup(of: options.filter, on: deployment),
            waitSeconds: lock.seconds, observer: observer, body)
    }

    private func makeOptions(_ file: Configuration) throws -> Backup.Options {
        var options = Backup.Options(width: try width.resolved(file))
        options.filter = try selection.makeFilter(database: db)
        options.compression = try encoding.compression(file)
        options.chunkTargetByteCount = try encoding.chunkTargetByteCount(file)
        guard SnapshotID.isKind(kind) else {
            throw Failure.usage(
                "--kind is 1 to 32 lowercase letters, digits and underscores, not \"\(kind)\"")
        }
        options.kind = kind
        options.description = description
        try options.checkDescription()
        options.readerCount =
            try WidthOptions.checked(readers, "--readers") ?? file.readers ?? options.readerCount
        options.readOrder = readOrder ?? file.readOrder ?? options.readOrder
        options.consistency = consistency ?? options.consistency
        guard !resume || archive != "-" else {
            throw Failure.usage("--resume is not for standard output: what went there is gone")
        }
        options.isResumed = resume
        options.enduranceSeconds = endurance.seconds
        options.rateLimiter = try rate.makeLimiter(file)
        return options
    }
}
