internal import ArgumentParser
internal import ObjectStorage
internal import Snapshots

/// How documents are written, and where to.
struct SpellingOptions: ParsableArguments, Sendable {
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

    /// The file's absolute path; nil for standard output.
    var file: String? { to.flatMap { $0 == "-" ? nil : RepositoryOptions.absolutePath($0) } }

    /// Where documents go.
    var destination: Export.Destination {
        file.map { .file($0) }
            ?? .pipe(PipeUpload(descriptor: Console.output, name: "standard output"))
    }

    /// What an export or a search is told.
    ///
    /// - Throws: `Failure` with `usage` when the columns don't fit the format.
    func resolved(_ format: Export.Format, width: Int) throws -> Export.Options {
        var options = Export.Options(format: format, width: width)
        options.fields = try columns(format)
        options.isCanonical = canonical
        return options
    }

    private func columns(_ format: Export.Format) throws -> [String] {
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
}
