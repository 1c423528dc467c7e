internal import AccessControl
internal import ArgumentParser
internal import Glibc
internal import MongoDriver
internal import ObjectStorage
internal import ServiceState
internal import Snapshots

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
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return explain(error)
        }
    }

    private static func explain(_ error: any Error) -> Int32 {
        switch error {
        case let error as ServerFailure: return fail(error.message, error.status)
        case let error as StateError:
            return fail(error.description, error.code == .locked ? 11 : 1)
        case let error as AccessError:
            return fail(error.description, error.code == .configuration ? 64 : 1)
        case let error as MongoError:
            return fail(error.description, error.code == .invalidURI ? 64 : 1)
        case let error as ObjectStorageError: return fail(error.description, 1)
        case let error as SnapshotError:
            return fail(error.description, error.code == .usage ? 64 : 1)
        default: break
        }
        let isUsage = ServerRoot.exitCode(for: error) != .success
        let text = ServerRoot.fullMessage(for: error)
        if isUsage {
            guard ServerRoot.exitCode(for: error) == .validationFailure else {
                return fail("\(error)", 1)
            }
            write(text + "\n", to: STDERR_FILENO)
            return 64
        }
        write(text + "\n", to: STDOUT_FILENO)
        return 0
    }

    private static func fail(_ message: String, _ status: Int32) -> Int32 {
        write("cairn: \(message)\n", to: STDERR_FILENO)
        return status
    }

    /// Writes text; that nobody can read it is no reason to fail.
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// Why a command ends without having done what was asked, where only this layer knows.
struct ServerFailure: Error {
    /// The exit code.
    let status: Int32
    /// One sentence, lowercase, without a period.
    let message: String

    /// A command that can't be understood.
    static func usage(_ message: String) -> ServerFailure {
        ServerFailure(status: 64, message: message)
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
