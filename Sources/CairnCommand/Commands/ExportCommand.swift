internal import ArchiveFormat
internal import ArgumentParser
internal import SnapshotJSON
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

    @OptionGroup var spelling: SpellingOptions
    @OptionGroup var width: WidthOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var writesArchiveToOutput: Bool { spelling.file == nil }

    var cancellationMessage: String {
        writesArchiveToOutput
            ? "cancelled; what was written to standard output is not all"
            : "cancelled; nothing was left behind"
    }

    var isItsOutput: Bool { writesArchiveToOutput }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let (source, names) = try source.divided(names, count: 1, "a collection")
        let namespace = try DocumentName.namespace(names[0])
        let options = try spelling.resolved(
            format, width: try width.resolved(try await config.load()))
        let archive = try await source.locate()
        let report = try await naming(archive.name) {
            try await lock.using(archive, as: .read, observer) {
                try await Export(
                    archive.location, namespace, to: spelling.destination, options: options,
                    observer: observer
                ).run()
            }
        }
        return result(report, namespace)
    }

    private func result(_ report: Export.Report, _ namespace: Namespace) -> JobResult {
        let facts = [
            Formatting.count(report.documentCount, report.noun),
            Formatting.bytes(report.writtenByteCount), Formatting.duration(report.seconds),
            Formatting.rate(report.documentByteCount, seconds: report.seconds),
        ]
        var result = JobResult(
            text: "exported \(Formatting.visible(namespace.description)): "
                + facts.compactMap(\.self).joined(separator: ", "),
            json: .object([
                "collection": .string(namespace.description),
                "format": .string(format.rawValue),
                "path": .optional(spelling.file),
                "documents": .count(report.documentCount),
                "unit": .string(report.noun + "s"),
                "bytes": .count(report.documentByteCount),
                "written_bytes": .count(report.writtenByteCount),
                "invalid_strings": .count(report.invalidStringCount),
                "seconds": .decimal(report.seconds),
            ]))
        result.warn(ofInvalidStrings: report.invalidStringCount)
        return result
    }
}
