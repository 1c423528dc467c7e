/// Says to clients of the service what the layers below say to users of the command line.
enum ServiceWords {
    /// Options and commands, and the fields and endpoints that are the same.
    private static let pairs = [
        ("--ns-rename", "rename"), ("--ns-include", "ns_include"), ("--ns-exclude", "ns_exclude"),
        ("--db", "databases"), ("--consistency oplog", "consistency oplog"),
        ("--mode replace", "mode replace"), ("(--resume)", "by resuming the job"),
        (
            "run it again with --resume to go on, or without to begin anew",
            "resume the job to go on, or begin another"
        ),
        ("\"cairn show\" lists", "GET /backup/{backup_id} lists"),
        ("\"cairn list\" shows", "GET /backup/list shows"),
    ]

    /// The message in the service's words.
    static func inFields(_ message: String) -> String {
        pairs.reduce(message) { $0.replacing($1.0, with: $1.1) }
    }
}
