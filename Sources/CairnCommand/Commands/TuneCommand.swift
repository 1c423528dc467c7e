internal import ArgumentParser
internal import MongoDriver
internal import Snapshots

/// `cairn tune`.
struct TuneCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Measure server, codecs and disk, and recommend options.",
        usage: "cairn tune [--uri <uri>] [--repository <folder>] [<options>]",
        discussion: """
            Reads the largest collections, compresses a sample of their documents, and writes a \
            file to the repository's disk that it removes again: about half a minute. Nothing is \
            written to the server without --writes. The numbers are those of the moment: run it \
            when the server is as busy as it is during backups.

            Examples:
              cairn tune
              cairn tune --db shop --any-codec
              cairn tune --writes --write-config /etc/cairn.json
              CAIRN_CONFIG=/etc/cairn.json cairn backup
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var repository: RepositoryOptions

    /// The only database that is meant.
    @Option(help: ArgumentHelp("Only this database.", valueName: "database"))
    var db: String?

    @OptionGroup var selection: SelectionOptions

    /// How long one measurement takes.
    @Option(
        help: ArgumentHelp(
            "The longest that one measurement takes, 0.1 to 60; there are about 16.",
            valueName: "number"))
    var seconds = 1.5

    /// Whether documents are inserted.
    @Flag(
        help: """
            Measure inserts too, for restores: writes up to 40 MiB at a time of copied documents \
            to a collection of its own, which it drops.
            """)
    var writes = false

    /// Where documents are inserted.
    @Option(
        help: ArgumentHelp("The database for --writes.", valueName: "database"))
    var scratchDb = "cairn_tune"

    /// Whether archives may be others than gzip's.
    @Flag(help: "Recommend zstd or lz4 too, which mongorestore does not read by itself.")
    var anyCodec = false

    /// Where the recommendation is written.
    @Option(
        help: ArgumentHelp(
            "Write what is recommended to a file for --config and CAIRN_CONFIG.",
            valueName: "file"))
    var writeConfig: String?

    /// Whether any file may be overwritten.
    @Flag(help: "Let --write-config overwrite a file that is no configuration.")
    var force = false

    @OptionGroup var output: OutputOptions

    var cancellationMessage: String { "cancelled; nothing was left behind" }

    private static let connectionCount = 9

    var isItsOutput: Bool { writeConfig == nil }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let options = try makeOptions()
        let file = writeConfig.map {
            ConfigurationFile(path: RepositoryOptions.absolutePath($0))
        }
        if !force { try await file?.checkMayReplace() }
        let repository = try await repository.open(create: false)
        let pool = try connection.makePool(
            connectionCountMax: Self.connectionCount, isPatient: false)
        defer { pool.close() }
        let report = try await Tune(pool, repository.store, options: options, observer: observer)
            .run()
        let summary = TuneSummary(
            report: report, folder: repository.folder, configurationPath: file?.path)
        try await file?.write(summary.configuration)
        return summary.result
    }

    private func makeOptions() throws -> Tune.Options {
        var options = Tune.Options(
            processorCount: WidthOptions.processorCount, processorSeconds: busyProcessorSeconds)
        options.filter = try selection.makeFilter(database: db)
        guard (0.1...60).contains(seconds) else {
            throw Failure.usage("--seconds is a number from 0.1 to 60")
        }
        options.secondsMax = seconds
        guard Self.isDatabase(scratchDb) else {
            throw Failure.usage("--scratch-db is no name of a database that may be written to")
        }
        options.scratchDatabase = writes ? scratchDb : nil
        options.mayLeaveGzip = anyCodec
        return options
    }

    /// The server's own databases are no place for experiments.
    private static func isDatabase(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count) && !["admin", "config", "local"].contains(name)
            && !name.contains { "/\\. \"$\0".contains($0) }
    }
}
