internal import ArchiveFormat
internal import ArgumentParser
internal import DocumentQuery
internal import ExtendedJSON
internal import ObjectStorage
internal import SnapshotJSON
internal import Snapshots

/// `cairn find`.
struct FindCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Find the documents of a snapshot that match a filter.",
        usage: "cairn find (<id> | --archive <file>) <collection> [--filter <filter>] [<options>]",
        discussion: """
            No server is needed. The filter is one of MongoDB's, in Extended JSON; what matches is \
            what a server would find without a collation. A filter on _id reads only the chunks \
            that may hold one that matches.

            Known are $eq $ne $gt $gte $lt $lte $in $nin, $and $or $nor $not, $exists $type, \
            $regex $mod, $all $elemMatch $size and $bitsAllSet with its relatives. $expr, \
            $where and searches of text and places are refused.

            Documents go to standard output, and what is said about them to standard error. That \
            none match is no failure.

            Examples:
              cairn find latest shop.orders --filter '{"address.city": "Rome"}' --limit 5
              cairn find latest shop.orders --filter '{"total": {"$gt": 100}}' --count
              cairn find latest shop.users --filter '{"name": {"$regex": "^ann "}}'
            """)

    @OptionGroup var source: ArchiveOptions

    /// The collection, and a snapshot's identifier in front unless a file is given.
    @Argument(
        help: ArgumentHelp(
            "The collection, as database.collection.", valueName: "collection"))
    var names: [String] = []

    /// The filter's text.
    @Option(
        help: ArgumentHelp(
            "What documents must match, such as '{\"age\": {\"$gte\": 18}}'.",
            valueName: "filter"))
    var filter = "{}"

    /// The most documents.
    @Option(help: ArgumentHelp("Find at most n documents.", valueName: "count"))
    var limit: UInt64?

    /// Whether documents are only counted.
    @Flag(help: "Write only how many match.")
    var count = false

    /// The format.
    @Option(
        help: ArgumentHelp(
            "ndjson is a line for each document, json an array, bson byte for byte.",
            valueName: "format"))
    var format: Export.Format = .ndjson

    @OptionGroup var spelling: SpellingOptions
    @OptionGroup var width: WidthOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var writesArchiveToOutput: Bool { !count && spelling.file == nil }

    var cancellationMessage: String {
        writesArchiveToOutput
            ? "cancelled; what was written to standard output is not all"
            : "cancelled; nothing was left behind"
    }

    var isItsOutput: Bool { count || writesArchiveToOutput }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let (source, names) = try source.divided(names, count: 1, "a collection")
        let namespace = try DocumentName.namespace(names[0])
        let options = try await options()
        let archive = try await source.locate()
        let destination = count ? nil : spelling.destination
        let report = try await naming(archive.name) {
            try await lock.using(archive, as: .read, observer) {
                try await DocumentSearch(
                    archive.location, namespace, options: options, observer: observer
                ).run(to: destination)
            }
        }
        return result(report, namespace)
    }

    private func options() async throws -> DocumentSearch.Options {
        guard limit != 0 else { throw Failure.usage("--limit is a number from 1 on") }
        guard !count || spelling.to == nil else {
            throw Failure.usage("give --count or --to, not both: a count is no document")
        }
        let filter = try DocumentName.filter(filter)
        var options = DocumentSearch.Options(
            filter: filter,
            output: try spelling.resolved(
                format, width: try width.resolved(try await config.load())))
        options.limit = limit
        return options
    }

    private func result(_ report: DocumentSearch.Report, _ namespace: Namespace) -> JobResult {
        let chunks =
            report.skippedChunkCount == 0
            ? nil : Formatting.count(report.skippedChunkCount, "chunk") + " skipped"
        let facts = [
            "\(Formatting.count(report.matchedCount, report.noun)) of "
                + "\(Formatting.count(report.scannedCount)) scanned",
            chunks, Formatting.duration(report.seconds),
            Formatting.rate(report.scannedByteCount, seconds: report.seconds),
        ]
        var result = JobResult(
            text: count
                ? String(report.matchedCount)
                : "found in \(Formatting.visible(namespace.description)): "
                    + facts.compactMap(\.self).joined(separator: ", "),
            json: .object([
                "collection": .string(namespace.description),
                "format": count ? .optional(nil) : .string(format.rawValue),
                "path": .optional(count ? nil : spelling.file),
                "matched": .count(report.matchedCount),
                "unit": .string(report.noun + "s"),
                "scanned": .count(report.scannedCount),
                "scanned_bytes": .count(report.scannedByteCount),
                "chunks_read": .count(report.chunkCount),
                "chunks_skipped": .count(report.skippedChunkCount),
                "written_bytes": .count(report.writtenByteCount),
                "invalid_strings": .count(report.invalidStringCount),
                "seconds": .decimal(report.seconds),
            ]))
        result.warn(ofInvalidStrings: report.invalidStringCount)
        return result
    }
}
