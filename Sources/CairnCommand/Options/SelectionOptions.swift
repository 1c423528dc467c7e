internal import ArgumentParser
internal import Snapshots

/// Which namespaces a command is about.
struct SelectionOptions: ParsableArguments, Sendable {
    /// Patterns of namespaces that are meant.
    @Option(
        help: ArgumentHelp(
            "Only namespaces that fit this pattern, such as 'shop.*'; may be repeated, up to 500 "
                + "patterns and 32 KiB in all.",
            valueName: "pattern"))
    var nsInclude: [String] = []

    /// Patterns of namespaces that are not meant.
    @Option(
        help: ArgumentHelp(
            "But none that fit this pattern; may be repeated.", valueName: "pattern"))
    var nsExclude: [String] = []

    /// The same for the jobs.
    ///
    /// - Throws: `SnapshotError` with `usage` for what is no pattern, or beyond the
    ///   `SelectionLimits`.
    func makeFilter(
        database: String? = nil, renames: [NamespaceRename] = []
    ) throws -> NamespaceFilter {
        let filter = NamespaceFilter(
            database: database, included: try nsInclude.map { try NamespacePattern($0) },
            excluded: try nsExclude.map { try NamespacePattern($0) })
        try SelectionLimits.check(filter, renames: renames)
        return filter
    }
}
