internal import ArchiveFormat
internal import ArgumentParser
internal import ObjectStorage
internal import Snapshots

/// `cairn export`.
struct ExportCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a collection of a snapshot as BSON, JSON or CSV.",
        usage: "cairn export (<id> | --archive <file>) <collection> --format <format> [<options>]",
        discussion: """
            No server is needed. Of a time series the buckets are written, as they are stored. \
            Without --to the documents go to standard output, and what is said about them to \
            standard error.

            Examples:
              cairn export latest shop.orders --format ndjson | jq .total
              cairn export latest shop.orders --format csv --fields _id,total,address.city
              cairn export latest shop.orders --format bson --to orders.bson
            """)

    @OptionGroup var source: ArchiveOptions

    /// The collection, and a snapshot's identifier in front unless a file is given.
    @Argument(
        help: ArgumentHelp(
            "The collection, as database.collection.", valueName: "collection"))
    var names: [String] = []

    /// The format.
    @Option(
        help: ArgumentHelp(
            "bson is byte for byte; json is an array, ndjson a line for each document.",
            valueName: "format"))
    var format: Export.Format

    /// Columns.
    @Option(
        help: ArgumentHelp(
            "The columns of csv, such as _id,total,address.city,tags.0.", valueName: "list"))
    var fields: String?

    /// Whether every type is kept.
    @Flag(help: "Write canonical Extended JSON, which keeps every type.")
    var canonical = false

    /// The file.
    @Option(
        help: ArgumentHelp("A new file, instead of standard output.", valueName: "file"))
    var to: String?

    @OptionGroup var width: WidthOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var writesArchiveToOutput: Bool { to == nil || to == "-" }

    var cancellationMessage: String {
        writesArchiveToOutput
            ? "cancelled; what was written to standard output is not all"
            : "cancelled; nothing was left behind"
    }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let (source, names) = try source.divided(names, count: 1, "a collection")
        let namespace = try DocumentName.namespace(names[0])
        var options = Export.Options(
            format: format, width: try width.resolved(try await config.load()))
        options.fields = try columns()
        options.isCanonical = canonical
        let archive = try await source.locate()
        let file = to.flatMap { $0 == "-" ? nil : RepositoryOptions.absolutePath($0) }
        let destination =
            file.map { Export.Destination.file($0) }
            ?? .pipe(PipeUpload(descriptor: Console.output, name: "standard output"))
        let report = try await naming(archive.name) {
            try await Export(
                archive.location, namespace, to: destination, options: options,
                observer: observer
            ).run()
        }
        return result(report, namespace, file)
    }

    private func columns() throws -> [String] {
        guard format == .csv else {
            guard fields == nil else { throw Failure.usage("--fields is for --format csv") }
            return []
        }
        let columns = (fields ?? "").split(separator: ",", omittingEmptySubsequences: false)
            .map(String.init)
        guard columns.allSatisfy({ !$0.isEmpty }) else {
            throw Failure.usage("csv needs its columns' names; give --fields, such as _id,total")
        }
        return columns
    }

    private func result(
        _ report: Export.Report, _ namespace: Namespace, _ file: String?
    ) -> JobResult {
        let facts = [
            Formatting.count(report.documentCount, "document"),
            Formatting.bytes(report.writtenByteCount), Formatting.duration(report.seconds),
            Formatting.rate(report.documentByteCount, seconds: report.seconds),
        ]
        return JobResult(
            text: "exported \(Formatting.visible(namespace.description)): "
                + facts.compactMap(\.self).joined(separator: ", "),
            json: .object([
                "collection": .string(namespace.description),
                "format": .string(format.rawValue),
                "path": .optional(file),
                "documents": .count(report.documentCount),
                "bytes": .count(report.documentByteCount),
                "written_bytes": .count(report.writtenByteCount),
                "seconds": .decimal(report.seconds),
            ]))
    }
}
