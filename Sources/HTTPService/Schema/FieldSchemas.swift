internal import SnapshotJSON
internal import Snapshots

/// The shapes of what is asked with, where several endpoints ask for the same.
enum FieldSchemas {
    /// A snapshot's identifier: it names a file, so nothing else may be in it.
    static let backupID = Schema.string(
        Schema.TextRule(
            lengths: 25...56, pattern: "[0-9]{8}T[0-9]{6}Z-[a-z0-9_]{1,32}-[0-9a-f]{6}",
            else: "is not such as 20261123T084512Z-manual-3f9a1c"))
    /// A job's name, of the same form.
    static let jobID = backupID
    /// A place in a list, as the answer before has told it.
    static let cursor = Schema.string(
        Schema.TextRule(
            lengths: 1...200, pattern: "[A-Za-z0-9_=.:+-]+",
            else: "is not a value from an earlier answer"))
    /// The kind of a backup.
    static let kind = Schema.string(
        Schema.TextRule(
            lengths: 1...32, pattern: "[a-z0-9_]+",
            else: "is not lowercase letters, digits and underscores"))
    /// A moment.
    static let time = Schema.string(
        Schema.TextRule(
            lengths: 20...24,
            pattern: "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?Z",
            else: "is not such as 2026-11-23T08:45:12Z", format: Schema.momentFormat))
    /// A pattern for namespaces.
    static let pattern = Schema.string(
        Schema.TextRule(
            lengths: 1...255, pattern: namespacePattern,
            else: "is not such as shop.* or shop.orders")
    ).saying(
        "Such as `shop.*`; `*` is any text, at most \(SelectionLimits.asteriskCountMax) times.")
    /// `*`, or something with a dot that is neither its first nor its last character; a backslash
    /// makes the character behind it an ordinary one.
    private static let namespacePattern: String = {
        let dot = "(?:\\\\?\\.)"
        let other = "(?:[^\\\\.\\x00]|\\\\[^.\\x00])"
        return "\\*|\(other)+(?:\(dot)+\(other)+)+"
    }()
    /// Patterns of what is not meant.
    static let exclusions = Schema.array(pattern, countMax: SelectionLimits.patternCountMax)
        .saying(SelectionLimits.sentence)
    /// Patterns of what is meant: none at all would be everything, or nothing, as one reads it.
    static let inclusions = Schema.array(
        pattern, countMin: 1, countMax: SelectionLimits.patternCountMax
    ).saying(SelectionLimits.sentence)

    /// What a backup takes.
    static let backup: [Schema.Property] = [
        Schema.Property(
            "backup_type",
            kind.saying("A word in the identifier, such as manual, scheduled or pre_restore.")),
        Schema.Property(
            "databases",
            .array(
                .string(
                    Schema.TextRule(
                        lengths: 1...63, pattern: "[^/\\\\. \"$\\x00]+",
                        else: "is not a database's name")),
                countMin: 1, countMax: SelectionLimits.patternCountMax
            ).saying(
                "Only these databases; all when not given. Each is one of the patterns that "
                    + "`ns_include` limits; both can't be given.")),
        Schema.Property(
            "ns_include",
            inclusions.saying(
                "Only namespaces that fit one of these patterns. \(SelectionLimits.sentence)")),
        Schema.Property(
            "ns_exclude",
            exclusions.saying(
                "No namespaces that fit one of these patterns. \(SelectionLimits.sentence)")),
        Schema.Property(
            "codec", .word("gzip", "zstd", "lz4").saying("How it is compressed; gzip.")),
        Schema.Property(
            "level",
            .integer(1...19).saying(
                "How hard: gzip 1 to 12, zstd 1 to 19; the codec's default when not given.")),
        Schema.Property(
            "consistency",
            .word("auto", "snapshot", "oplog", "none").saying(
                "How all collections come to be of one instant; auto when not given.")),
        Schema.Property(
            "description",
            .string(
                Schema.TextRule(
                    lengths: 0...256, pattern: FreeText.pattern,
                    else: "has control characters, or some that are not seen")
            )
            .saying("What to remember about it.")),
    ]

    /// Which of them say what others may be.
    static let backupDependencies = ["level": "codec"]

    /// What retention takes.
    static let retention: [Schema.Property] = [
        Schema.Property(
            "keep_days",
            .integer(0...100_000).saying(
                "Remove what is older than this number of days; 0 switches the rule off.")),
        Schema.Property(
            "max_count",
            .integer(0...100_000).saying(
                "Remove what is beyond this number of backups; 0 switches the rule off.")),
        Schema.Property(
            "keep_last", .integer(0...100_000).saying("Keep this number of the newest.")),
        Schema.Property(
            "keep_daily",
            .integer(0...100_000).saying("Keep the newest of a day, of this number of days.")),
        Schema.Property(
            "keep_weekly",
            .integer(0...100_000).saying("Keep the newest of a week, of this number of weeks.")),
        Schema.Property(
            "keep_monthly",
            .integer(0...100_000).saying("Keep the newest of a month, of this number of months.")),
    ]
}
