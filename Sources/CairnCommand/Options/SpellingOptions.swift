internal import ArgumentParser
internal import ObjectStorage
internal import Snapshots

/// How documents are written, and where to.
struct SpellingOptions: ParsableArguments, Sendable {
    /// Columns.
    @Option(
        help: ArgumentHelp(
            "The columns of csv, such as _id,total,address.city,tags.0, at most 1000. Blanks "
                + "around a name are left out; a name with blanks at its ends, or a comma, is put "
                + "in quotation marks.",
            valueName: "list"))
    var fields: String?

    /// Whether spreadsheets are kept from taking texts for formulas.
    @Flag(
        help: ArgumentHelp(
            "In csv, put an apostrophe before a text that begins with = + - @, a tab or a line "
                + "break, which a spreadsheet would take for a formula; numbers stay as they are."))
    var guardFormulas = false

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
        options.guardsFormulas = guardFormulas
        return options
    }

    private func columns(_ format: Export.Format) throws -> [String] {
        guard format == .csv else {
            guard fields == nil else { throw Failure.usage("--fields is for --format csv") }
            guard !guardFormulas else {
                throw Failure.usage("--guard-formulas is for --format csv")
            }
            return []
        }
        guard let fields else {
            throw Failure.usage("csv needs its columns' names; give --fields, such as _id,total")
        }
        return try FieldList(fields).names
    }
}
