internal import ArgumentParser
internal import Glibc
internal import ServiceState
internal import SnapshotJSON

/// `cairn audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Look at the service's audit log.",
        subcommands: [AuditVerifyCommand.self, AuditListCommand.self])
}

/// Where the log is, and how it is told.
struct AuditOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the service's state; else CAIRN_STATE, STATE_DIRECTORY, or "
                + "~/.local/state/cairn.", valueName: "folder"))
    var state: String?
    @Flag(help: "Write JSON to standard output.")
    var json = false

    /// The records, for reading; the service may run.
    func open() async throws -> StateStore {
        try await StateStore(folder: StateFolderName.path(state), isReadOnly: true)
    }
}

/// `cairn audit verify`.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Prove that the audit log is whole.",
        discussion: """
            Every entry carries a hash that covers the one before, so that none can be changed, \
            removed, moved or put in between without a trace. Who can write to all of the state \
            folder can make a new log; the head that this prints, noted elsewhere and given with \
            --head, tells that too. The exit code is 12 when something is wrong.
            """)

    @OptionGroup var options: AuditOptions
    @Option(
        help: ArgumentHelp(
            "A head that was noted before, as COUNT:HASH: it must be part of the log.",
            valueName: "head"))
    var head: String?

    func run() async throws {
        let noted = try head.map { text in
            let parts = text.split(separator: ":")
            guard parts.count == 2, let count = Int64(parts[0]), count >= 0, parts[1].count == 64
            else { throw ServerFailure.usage("--head is COUNT:HASH, as this command prints it") }
            return AuditHead(count: count, hash: String(parts[1]))
        }
        let state = try await options.open()
        defer { state.close() }
        let found = try await state.verifyAudit(noted: noted)
        let head = "\(found.head.count):\(found.head.hash)"
        if options.json {
            let report = JSONValue.object([
                "whole": .bool(found.isWhole), "entries": .count(UInt64(found.entryCount)),
                "head": .string(head), "defect": .optional(found.firstDefect?.description),
            ])
            try ServerProgram.answer(report.text)
        } else {
            let extent = found.isWhole ? "all" : "the first"
            try ServerProgram.answer(
                "\(extent) \(found.entryCount) entries are whole, head \(head)")
        }
        if let defect = found.firstDefect {
            throw ServerFailure(
                status: 12, message: "the audit log is not whole: \(defect)", isTold: true)
        }
    }
}

/// `cairn audit list`.
struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show entries of the audit log, newest first.")

    @OptionGroup var options: AuditOptions
    @Option(help: ArgumentHelp("Only those of this subject.", valueName: "name"))
    var subject: String?
    @Option(help: ArgumentHelp("Only this action, such as backup.restore.", valueName: "action"))
    var action: String?
    @Option(help: ArgumentHelp("How many, 1 to 1000.", valueName: "count"))
    var limit = 50

    func run() async throws {
        let state = try await options.open()
        defer { state.close() }
        let page = try await state.auditEntries(
            AuditFilter(subject: subject, action: action), limit: limit)
        let lines =
            options.json
            ? [JSONValue.array(page.entries.map(Self.json)).text] : page.entries.map(Self.line)
        guard !lines.isEmpty else { return }
        try ServerProgram.answer(lines.joined(separator: "\n"))
    }

    private static func json(_ entry: AuditEntry) -> JSONValue {
        let event = entry.event
        return .object([
            "sequence": .count(UInt64(entry.sequence)), "at": .date(event.at),
            "subject": .string(event.subject), "role": .optional(event.role),
            "address": .optional(event.address), "request_id": .optional(event.requestID),
            "action": .string(event.action), "resource": .optional(event.resource),
            "outcome": .string(event.outcome.rawValue),
            "status": event.status.map { .count($0) } ?? .null,
            "details": event.details.map { .verbatim($0) } ?? .null,
            "hash": .string(entry.hash),
        ])
    }

    private static func line(_ entry: AuditEntry) -> String {
        let event = entry.event
        let time = JSONValue.date(event.at).text.filter { $0 != "\"" }
        return [
            "\(entry.sequence)", time, event.subject, event.role ?? "-", event.address ?? "-",
            event.action, event.resource ?? "-", event.outcome.rawValue,
        ].joined(separator: "  ")
    }
}
