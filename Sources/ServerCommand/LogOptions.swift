internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Logging
internal import SnapshotJSON

/// How much is logged, and in which form.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How much is logged: debug, info, notice, warning or error.", valueName: "level"))
    var logLevel = Level.info
    @Option(help: ArgumentHelp("One JSON object a line, or text.", valueName: "form"))
    var logFormat = Form.json

    enum Level: String, ExpressibleByArgument, CaseIterable {
        case debug, info, notice, warning, error
    }

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case json, text
    }

    /// A logger that writes to standard error.
    func makeLogger() -> Logger {
        var logger = Logger(label: "cairn") { _ in LineLogHandler(form: logFormat) }
        logger.logLevel = Logger.Level(rawValue: logLevel.rawValue) ?? .info
        return logger
    }
}

/// Writes each entry as a line: fields that programs can read, or text for people.
struct LineLogHandler: LogHandler {
    let form: LogOptions.Form
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(form: LogOptions.Form) {
        self.form = form
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let own = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = own.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        ServerProgram.say(line(event, fields))
    }

    private func line(_ event: LogEvent, _ fields: [(String, String)]) -> String {
        let now = JSONValue.date(Int64(Date().timeIntervalSince1970 * 1000))
        switch form {
        case .json:
            return JSONValue.object(
                [
                    JSONValue.Member("time", now),
                    JSONValue.Member("level", .string(event.level.rawValue)),
                    JSONValue.Member("message", .string("\(event.message)")),
                ] + fields.map { JSONValue.Member($0.0, .string($0.1)) }
            ).text
        case .text:
            let rest = fields.map { "\($0.0)=\(JSONValue.string($0.1).text)" }
            return
                ([now.text.filter { $0 != "\"" }, event.level.rawValue, "\(event.message)"] + rest)
                .joined(separator: " ")
        }
    }
}
