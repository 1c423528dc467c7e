/// Says to clients of the service what the layers below say to users of the command line.
enum ServiceWords {
    /// Options and commands, and the fields and endpoints that are the same. Longer ones first.
    private static let pairs = [
        (
            "run it again with --resume to continue, or without it to start from the beginning",
            "resume the job to continue, or begin another"
        ),
        ("; --resume continues with it", "; resume the job to continue"),
        ("(--resume)", "by resuming the job"),
        ("make one with \"cairn index\"", "convert it to a backup first"),
        ("with \"cairn index\"", "by converting it to a backup first"),
        ("run \"cairn kept --clean\" to put it back", "an operator has to put it back"),
        ("\"cairn show\" lists", "GET /backup/{backup_id} lists"),
        ("\"cairn list\" shows", "GET /backup/list shows"),
        ("; --no-oplog leaves the oplog out", "; without its oplog"),
        ("--no-oplog leaves it out, and what", "without it what"),
        ("--db and --ns-include", "databases and ns_include"),
        ("--db, --ns-include or --ns-exclude", "databases, ns_include or ns_exclude"),
        ("--ns-rename", "rename"), ("--db", "databases"), ("--no-", "without "),
        ("--mode replace", "the mode replace"), ("--mode merge", "the mode merge"),
        ("--in-place", "in_place"), ("--on-conflict", "on_conflict"),
    ]

    /// The message in the service's words. What no pair is for loses what only the command line
    /// has: an option becomes the field of its name. Names of collections that hold dashes stay as
    /// they are.
    static func inFields(_ message: String) -> String {
        let known = pairs.reduce(hidingDashesInWords(message)) { $0.replacing($1.0, with: $1.1) }
        let fields = known.replacing(#/--([a-z][a-z-]*)/#) { match in
            match.output.1.replacing("-", with: "_")
        }
        let told = fields.replacing(#/"cairn (?:backup|index|kept|list|restore|show)\b[^"]*"/#) {
            _ in
            "the command line"
        }
        return told.replacing(hiddenDash, with: "-")
    }

    /// Stands for a dash that is no option's: in no name of a server's, nor in any message.
    private static let hiddenDash = "\0"

    /// An option begins a word; dashes behind anything else are a part of a name.
    private static func hidingDashesInWords(_ message: String) -> String {
        message.replacing(#/([^\s("\-])(--+)/#) { match in
            match.output.1 + String(repeating: hiddenDash, count: match.output.2.count)
        }
    }
}
