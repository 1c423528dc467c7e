internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import SnapshotJSON

/// `cairn schedule`.
struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Show or set the schedule of automatic backups.",
        discussion: """
            The schedule is the running service's, and every change of it is in the audit log.

            Examples:
              cairn schedule set '30 2 * * *' --time-zone Europe/Rome --verify
              cairn schedule set '0 */6 * * *' --jitter 10m --keep-days 14
              cairn schedule show
              cairn schedule off
            """,
        subcommands: [
            ScheduleShowCommand.self, ScheduleSetCommand.self, ScheduleOffCommand.self,
            ScheduleOnCommand.self,
        ])
}

/// What is told of the schedule, and sent back to change it.
struct ScheduleDocument: Codable {
    var enabled: Bool
    var cron: String
    var time_zone: String
    var jitter_seconds: Int
    var verify: Bool
    var next_run: String?
    var last_run: String?
    var last_job_id: String?
    var backup: Backup?
    var retention: Retention?

    /// What is backed up; what is nil is the default.
    struct Backup: Codable {
        var databases: [String]?
        var ns_include: [String]?
        var ns_exclude: [String]?
        var codec: String?
        var level: Int?
        var consistency: String?
        var description: String?

        fileprivate var words: String {
            let what = (databases ?? []) + (ns_include ?? [])
            return [
                what.isEmpty ? "everything" : what.joined(separator: ", "),
                ns_exclude.map { $0.isEmpty ? "" : "without " + $0.joined(separator: ", ") },
                codec.map { "codec \($0)" }, level.map { "level \($0)" },
                consistency.map { "consistency \($0)" }, description.map { "\"\($0)\"" },
            ].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "; ")
        }
    }

    /// What is kept; what is nil is as the service was started with.
    struct Retention: Codable {
        var keep_days: Int?
        var max_count: Int?
        var keep_last: Int?
        var keep_daily: Int?
        var keep_weekly: Int?
        var keep_monthly: Int?

        fileprivate var words: String {
            let rules = [
                keep_days.map { "\($0) days" }, max_count.map { "\($0) backups at most" },
                keep_last.map { "the last \($0)" }, keep_daily.map { "\($0) daily" },
                keep_weekly.map { "\($0) weekly" }, keep_monthly.map { "\($0) monthly" },
            ].compactMap(\.self)
            return rules.isEmpty ? "as the service was started" : rules.joined(separator: ", ")
        }
    }

    /// For people.
    var lines: [String] {
        [
            "cron         \(cron)",
            "time zone    \(time_zone)",
            "enabled      \(enabled ? "yes" : "no")",
            "verify       \(verify ? "yes, each backup" : "no")",
            "backs up     \(backup?.words ?? "everything")",
            "keeps        \(retention?.words ?? "as the service was started")",
            jitter_seconds > 0 ? "jitter       up to \(jitter_seconds) s" : nil,
            "next run     \(next_run ?? "-")",
            "last run     \(last_run ?? "-")\(last_job_id.map { ", job \($0)" } ?? "")",
        ].compactMap(\.self)
    }
}

/// Reads the schedule and writes what comes of it.
enum ScheduleAccess {
    static let path = "/backup/schedule"

    /// The schedule's text.
    ///
    /// - Throws: `ServerFailure` when there is none.
    static func get(_ client: ServiceClient) async throws -> String {
        guard let text = try await client.ask("GET", path) else {
            throw ServerFailure(
                status: 1, message: "there is no schedule; \"cairn schedule set CRON\" makes one")
        }
        return text
    }

    /// Writes what the service has answered.
    static func tell(_ text: String, isJSON: Bool) throws {
        let document = try JSONDecoder().decode(ScheduleDocument.self, from: Data(text.utf8))
        let shown = isJSON ? text : document.lines.joined(separator: "\n")
        try ServerProgram.answer(shown)
    }

    /// The same schedule, on or off.
    static func set(enabled: Bool, _ client: ServiceClient) async throws -> String {
        let text = try await get(client)
        guard var fields = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        else { throw ServerFailure(status: 1, message: "the service's answer is no object") }
        for name in ["next_run", "last_run", "last_job_id"] { fields[name] = nil }
        fields["enabled"] = enabled
        let body = try JSONSerialization.data(withJSONObject: fields)
        return try await client.ask("PUT", path, body: String(decoding: body, as: UTF8.self))
            ?? text
    }
}

/// `cairn schedule show`.
struct ScheduleShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the schedule and its next run.")

    @OptionGroup var options: ServiceOptionsGroup
    @Flag(help: "Write JSON to standard output.")
    var json = false

    func run() async throws {
        try ScheduleAccess.tell(
            try await ScheduleAccess.get(try await options.client()), isJSON: json)
    }
}

/// `cairn schedule set`.
struct ScheduleSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set the schedule; what is not given is the default.")

    @Argument(
        help: ArgumentHelp(
            "Minute, hour, day, month, day of the week, such as '30 2 * * *'; or @daily and the "
                + "like.", valueName: "cron"))
    var cron: String
    @Option(help: ArgumentHelp("Of the IANA database. (default: UTC)", valueName: "name"))
    var timeZone: String?
    @Option(
        help: ArgumentHelp(
            "Start with a random delay of up to this time, such as 10m.", valueName: "time"))
    var jitter: Span?
    @Flag(help: "Verify each backup when it is made.")
    var verify = false
    @Option(help: ArgumentHelp("Only this database; may be repeated.", valueName: "database"))
    var db: [String] = []
    @Option(help: ArgumentHelp("Only namespaces that fit; may be repeated.", valueName: "pattern"))
    var nsInclude: [String] = []
    @Option(help: ArgumentHelp("But none that fit; may be repeated.", valueName: "pattern"))
    var nsExclude: [String] = []
    @Option(help: ArgumentHelp("gzip, zstd or lz4.", valueName: "name"))
    var codec: String?
    @Option(help: ArgumentHelp("The codec's level; needs --codec.", valueName: "number"))
    var level: Int?
    @Option(help: ArgumentHelp("auto, snapshot, oplog or none.", valueName: "name"))
    var consistency: String?
    @Option(help: ArgumentHelp("A remark that each backup gets.", valueName: "text"))
    var description: String?
    @OptionGroup var retention: ScheduleRetentionOptions
    @OptionGroup var options: ServiceOptionsGroup
    @Flag(help: "Write JSON to standard output.")
    var json = false

    func run() async throws {
        let answer = try await options.client().ask("PUT", ScheduleAccess.path, body: body.text)
        guard let answer else {
            throw ServerFailure(status: 1, message: "this service has no schedules")
        }
        try ScheduleAccess.tell(answer, isJSON: json)
    }

    private var body: JSONValue {
        var members = [JSONValue.Member("cron", .string(cron))]
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(JSONValue.Member(name, value)) }
        }
        func list(_ texts: [String]) -> JSONValue? {
            texts.isEmpty ? nil : .array(texts.map { .string($0) })
        }
        func object(_ fields: [(String, JSONValue?)]) -> JSONValue? {
            let given = fields.compactMap { name, value in
                value.map { JSONValue.Member(name, $0) }
            }
            return given.isEmpty ? nil : .object(given)
        }
        add("time_zone", timeZone.map { .string($0) })
        add("jitter_seconds", jitter.map { .count($0.seconds) })
        add("verify", .bool(verify))
        add(
            "backup",
            object([
                ("databases", list(db)), ("ns_include", list(nsInclude)),
                ("ns_exclude", list(nsExclude)), ("codec", codec.map { .string($0) }),
                ("level", level.map { .verbatim(String($0)) }),
                ("consistency", consistency.map { .string($0) }),
                ("description", description.map { .string($0) }),
            ]))
        add(
            "retention",
            object(retention.fields.map { ($0, $1.map { .verbatim(String($0)) }) }))
        return .object(members)
    }
}

/// Which backups stay after each run; what is not given is as the service was started with.
struct ScheduleRetentionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Keep backups for n days.", valueName: "count"))
    var keepDays: Int?
    @Option(help: ArgumentHelp("Keep at most n backups.", valueName: "count"))
    var maxCount: Int?
    @OptionGroup var rules: KeepRuleOptions

    /// As the service names them.
    var fields: [(name: String, count: Int?)] {
        [
            ("keep_days", keepDays), ("max_count", maxCount), ("keep_last", rules.keepLast),
            ("keep_daily", rules.keepDaily), ("keep_weekly", rules.keepWeekly),
            ("keep_monthly", rules.keepMonthly),
        ]
    }
}

/// `cairn schedule off`.
struct ScheduleOffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "off", abstract: "Begin no backups by schedule until it is on again.")

    @OptionGroup var options: ServiceOptionsGroup

    func run() async throws {
        try ScheduleAccess.tell(
            try await ScheduleAccess.set(enabled: false, try await options.client()), isJSON: false)
    }
}

/// `cairn schedule on`.
struct ScheduleOnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "on", abstract: "Begin backups by schedule again.")

    @OptionGroup var options: ServiceOptionsGroup

    func run() async throws {
        try ScheduleAccess.tell(
            try await ScheduleAccess.set(enabled: true, try await options.client()), isJSON: false)
    }
}
