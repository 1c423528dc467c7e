internal import ArchiveFormat
internal import ArgumentParser
internal import MongoDriver
internal import Snapshots

/// `cairn diff`.
struct DiffCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Tell what differs between two snapshots, or a snapshot and a server.",
        usage: "cairn diff <first> (<second> | --live [--uri <uri>]) [<options>]",
        discussion: """
            Documents are compared by _id and byte for byte, options and indexes too. Of two \
            snapshots, collections with equal fingerprints and equal chunks are not read at all; a \
            server is read once, as of one cluster time where it has such. The exit code is 4 when \
            anything differs.

            Examples:
              cairn diff 20261123T0845 latest
              cairn diff 20261123T0845 latest --ns-include 'shop.*' --json
              cairn diff ./monday.archive.gz ./tuesday.archive.gz
              cairn diff latest --live
            """)

    /// The older one.
    @Argument(
        help: ArgumentHelp(
            "A snapshot's identifier, a beginning of it, or \"latest\"; with a slash in it, the "
                + "path of an archive's file.",
            valueName: "first"))
    var first: String

    /// The newer one.
    @Argument(help: ArgumentHelp("Another one.", valueName: "second"))
    var second: String?

    /// Whether the other side is a server.
    @Flag(help: "Compare with what a server holds now.")
    var live = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions

    @OptionGroup var samples: SampleOptions
    @OptionGroup var width: WidthOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var isItsOutput: Bool { true }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        var options = Comparison.Options(width: try width.resolved(try await config.load()))
        options.filter = try selection.makeFilter()
        options.sampleCount = try samples.count(standard: options.sampleCount)
        let left = try await locate(first)
        switch (second, live) {
        case (let second?, false):
            let right = try await locate(second)
            let report = try await naming("\(left.name) or \(right.name)") {
                try await lock.using(left, as: .read, observer) {
                    try await lock.using(right, as: .read, observer) {
                        try await Comparison(
                            left.location, right.location, options: options, observer: observer
                        ).run()
                    }
                }
            }
            return try DiffSummary(report).result
        case (nil, true):
            return try await compareLive(left, options, observer)
        default:
            throw Failure.usage("give either a second snapshot or --live")
        }
    }

    private func compareLive(
        _ archive: ArchiveOptions.Located, _ options: Comparison.Options,
        _ observer: any JobObserver
    ) async throws -> JobResult {
        var restore = Restore.Options(mode: .replace, width: options.width)
        restore.filter = options.filter
        let pool = try connection.makePool(connectionCountMax: 2, isPatient: true)
        defer { pool.close() }
        let report = try await naming(archive.name) {
            try await lock.using(archive, as: .read, observer) {
                try await LiveComparison(
                    archive.location, with: pool, for: .difference, restore: restore,
                    options: options, observer: observer
                ).run()
            }
        }
        return try DiffSummary(report).result
    }

    private func locate(_ name: String) async throws -> ArchiveOptions.Located {
        if name.contains("/") { return try ArchiveOptions.located(file: name) }
        var source = ArchiveOptions()
        source.id = name
        source.archive = nil
        source.repository = repository
        return try await source.locate()
    }
}
