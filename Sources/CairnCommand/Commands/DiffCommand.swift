internal import ArchiveFormat
internal import ArgumentParser
internal import Snapshots

/// `cairn diff`.
struct DiffCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Tell what differs between two snapshots.",
        usage: "cairn diff <first> <second> [<options>]",
        discussion: """
            Documents are compared by _id and byte for byte, options and indexes too. Collections \
            with equal fingerprints and equal chunks are not read at all. The exit code is 4 when \
            anything differs.

            Examples:
              cairn diff 20261123T0845 latest
              cairn diff 20261123T0845 latest --ns-include 'shop.*' --json
              cairn diff ./monday.archive.gz ./tuesday.archive.gz
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
    var second: String

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions

    /// How much is told by name.
    @Option(
        help: ArgumentHelp(
            "How many documents of each kind are named, with the fields that differ, 0 to 1000.",
            valueName: "count"))
    var samples = 5

    @OptionGroup var width: WidthOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        var options = Comparison.Options(width: try width.resolved(try await config.load()))
        options.filter = try selection.makeFilter()
        guard (0...1000).contains(samples) else {
            throw Failure.usage("--samples is a number from 0 to 1000")
        }
        options.sampleCount = samples
        let (left, right) = (try await locate(first), try await locate(second))
        let report = try await naming("\(left.name) or \(right.name)") {
            try await Comparison(
                left.location, right.location, options: options, observer: observer
            ).run()
        }
        return try DiffSummary(report: report).result
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
