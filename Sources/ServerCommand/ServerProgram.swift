internal import AccessControl
internal import ArgumentParser
internal import Glibc
internal import MongoDriver
internal import ObjectStorage
internal import Operations
internal import ServiceState
internal import SnapshotJSON
internal import Snapshots
internal import StandardStreams

/// The service's program: parse → run → say what went wrong.
public enum ServerProgram {
    /// Runs a command line.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit code, as `cairn` has them.
    public static func run(_ arguments: [String]) async -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try ServerRoot.parseAsRoot(arguments)
            try checkOutput(command)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return explain(error, isJSON: arguments.contains("--json"))
        }
    }

    private static func explain(_ error: any Error, isJSON: Bool) -> Int32 {
        if let failure = failure(error) { return fail(failure, isJSON: isJSON) }
        let isUsage = ServerRoot.exitCode(for: error) != .success
        let text = ServerRoot.fullMessage(for: error)
        guard isUsage else {
            guard StandardStream.output.write(text + "\n") != nil else { return 0 }
            say("cairn: cannot write to standard output")
            return 1
        }
        guard ServerRoot.exitCode(for: error) == .validationFailure else {
            return fail(ServerFailure(status: 1, message: "\(error)"), isJSON: isJSON)
        }
        say(text)
        if isJSON { tell(.usage(ServerRoot.message(for: error))) }
        return 64
    }

    /// What an error of the layers below means; nil for what the parser throws.
    private static func failure(_ error: any Error) -> ServerFailure? {
        switch error {
        case let error as ServerFailure: error
        case let error as StateError:
            ServerFailure(
                status: error.code == .locked ? 11 : 1, code: error.code.rawValue,
                message: error.description)
        case let error as AccessError:
            ServerFailure(
                status: error.code == .configuration ? 64 : 1, code: error.reason.rawValue,
                message: error.reason == .keysUnavailable
                    ? "the keys for tokens can't be used: \(error.detail ?? "there are none")"
                    : error.description)
        case let error as MongoError:
            ServerFailure(
                status: error.code == .invalidURI ? 64 : 1, code: error.code.rawValue,
                message: error.description)
        case let error as ObjectStorageError:
            ServerFailure(status: 1, code: error.code.rawValue, message: error.description)
        case let error as SnapshotError:
            ServerFailure(
                status: error.code == .usage ? 64 : 1, code: error.code.rawValue,
                message: error.description)
        case let error as JobFailure:
            ServerFailure(status: 1, code: error.code, message: error.message)
        default: nil
        }
    }

    private static func fail(_ failure: ServerFailure, isJSON: Bool) -> Int32 {
        // As `head` ends what feeds it: whoever has read enough expects no message.
        guard failure.code != brokenPipeCode else { return failure.status }
        say("cairn: \(failure.message)")
        if isJSON, !failure.isTold { tell(failure) }
        return failure.status
    }

    /// The failure as an object for machines, as `cairn` has it.
    private static func tell(_ failure: ServerFailure) {
        let object = JSONValue.object([
            "error": .object([
                "code": .string(failure.code), "message": .string(failure.message),
            ]),
            "exit_code": .count(UInt64(failure.status)),
        ])
        _ = StandardStream.output.write(object.text + "\n")
    }

    /// Writes a command's result to standard output.
    ///
    /// - Throws: `ServerFailure` when it can't be written, such as to a full disk.
    static func answer(_ text: String) throws {
        guard let number = StandardStream.output.write(text + "\n") else { return }
        throw ServerFailure(
            status: 1, code: number == EPIPE ? brokenPipeCode : "output_failed",
            message: "cannot write to standard output: \(String(cString: strerror(number)))")
    }

    private static let brokenPipeCode = ObjectStorageError.Code.brokenPipe.rawValue

    /// Says something on standard error. That nobody can read it is no reason to fail.
    static func say(_ text: String) {
        _ = StandardStream.error.write(text + "\n")
    }

    /// Refuses what is done for its output where that can't be written, and warns of what does
    /// more. The service itself writes nothing there.
    private static func checkOutput(_ command: any ParsableCommand) throws {
        guard !StandardStream.output.isUsable else { return }
        let reason = "standard output is closed, or not open for writing"
        switch command {
        case is ServeCommand: return
        case is TokenCommand, is ScheduleShowCommand, is AuditVerifyCommand, is AuditListCommand:
            throw ServerFailure(
                status: 1, code: "output_failed", message: "\(reason); nothing was done")
        default: say("cairn: \(reason): the report of this command will be lost")
        }
    }
}

/// Why a command ends without having done what was asked, where only this layer knows.
struct ServerFailure: Error {
    /// The exit code.
    let status: Int32
    /// A stable word.
    let code: String
    /// One sentence, lowercase, without a period.
    let message: String
    /// Whether the command's result says so already.
    let isTold: Bool

    init(status: Int32, code: String = "failed", message: String, isTold: Bool = false) {
        self.status = status
        self.code = code
        self.message = message
        self.isTold = isTold
    }

    /// A command that can't be understood.
    static func usage(_ message: String) -> ServerFailure {
        ServerFailure(status: 64, code: "usage", message: message)
    }
}

/// `cairn-server`, and those commands of `cairn` that it hands on.
struct ServerRoot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn",
        abstract: "The HTTP service of Cairn, and what belongs to it.",
        version: Tool.description,
        subcommands: [
            ServeCommand.self, TokenCommand.self, ScheduleCommand.self, AuditCommand.self,
        ])
}
