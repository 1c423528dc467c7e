/// How large a selection of namespaces may be: patterns of what is meant and what is not, and
/// renames. What keeps to it fits everything that holds a selection: a lock's file (64 KiB), the
/// note of an unfinished backup, a manifest, a service's records. It is checked where a selection
/// is asked for, before anything is done with it.
public enum SelectionLimits {
    /// Patterns in all; a rename has two.
    public static let patternCountMax = 500
    /// Bytes of one pattern, as it is written.
    public static let patternByteCountMax = 1024
    /// Asterisks in one pattern.
    public static let asteriskCountMax = 32
    /// Bytes of all patterns, as a JSON string holds them: a quotation mark or a backslash is two
    /// bytes there, a control character six.
    public static let byteCountMax = 32 * 1024
    /// Bytes of a database's name; no server has longer ones.
    public static let databaseByteCountMax = 63

    /// The limits as a sentence, for descriptions of options and fields.
    public static let sentence =
        "At most \(patternCountMax) patterns and \(byteCountMax / 1024) KiB in all, a rename "
        + "counting as two patterns, and \(asteriskCountMax) asterisks in one."

    /// Checks a whole selection; each pattern was checked when it was made.
    ///
    /// - Throws: `usage` with the limit that is exceeded.
    public static func check(
        _ filter: NamespaceFilter, renames: [NamespaceRename] = []
    ) throws(SnapshotError) {
        if let database = filter.database, database.utf8.count > databaseByteCountMax {
            throw SnapshotError(
                .usage,
                "the database's name has more than \(databaseByteCountMax) bytes, which no "
                    + "server allows")
        }
        let patterns = filter.included + filter.excluded + renames.flatMap { [$0.from, $0.to] }
        guard patterns.count <= patternCountMax else {
            throw SnapshotError(
                .usage,
                "the selection has \(patterns.count) patterns; at most \(patternCountMax) are "
                    + "allowed, and a rename counts as two")
        }
        let byteCount = patterns.reduce(0) { $0 + jsonByteCount($1.text) }
        guard byteCount <= byteCountMax else {
            throw SnapshotError(
                .usage,
                "the selection's patterns have \(byteCount) bytes; at most \(byteCountMax) are "
                    + "allowed")
        }
    }

    /// Bytes of a text in a JSON string, without the quotation marks around it.
    static func jsonByteCount(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar {
            case "\"", "\\": sum + 2
            case "\u{0}"..<" ", "\u{2028}", "\u{2029}": sum + 6
            default: sum + UTF8.width(scalar)
            }
        }
    }
}
