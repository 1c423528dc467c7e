internal import ArgumentParser

/// What a restore makes of an archive's indexes.
struct IndexOptions: ParsableArguments, Sendable {
    /// Whether no index is built but the one on `_id`.
    @Flag(
        help: ArgumentHelp(
            "Build no index but the one on _id. With --mode replace the collection has no other "
                + "afterwards, with --mode merge the live ones stay."))
    var noIndexes = false

    /// Whether what old servers allowed is converted.
    @Flag(
        help: ArgumentHelp(
            "Convert what servers before 3.4 allowed in indexes, such as a key's value true, 0 or "
                + "an empty string, to what it meant; else such an archive is refused."))
    var convertLegacyIndexes = false
}
