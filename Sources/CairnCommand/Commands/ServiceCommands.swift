internal import ArgumentParser
internal import Glibc

/// A command of the service. It is another program, so that `cairn` is built and started without
/// what HTTP needs; this one hands its arguments on and is gone.
protocol ServiceCommand: ParsableCommand {
    /// All that follows the command's name.
    var arguments: [String] { get }
}

extension ServiceCommand {
    func run() throws {
        let name = Self.configuration.commandName ?? ""
        throw ServiceProgram.replaceThisOne([name] + arguments)
    }
}

/// `cairn serve`.
struct ServeCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve backups, restores and schedules over HTTP (cairn-server).")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

/// `cairn token`.
struct TokenCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make a token for the service (cairn-server).")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

/// `cairn schedule`.
struct ScheduleCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Show or set the schedule of automatic backups (cairn-server).")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

/// `cairn audit`.
struct AuditCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify or list the service's audit log (cairn-server).")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

/// The service's program.
enum ServiceProgram {
    static let name = "cairn-server"
    private static let commands: [any ServiceCommand.Type] = [
        ServeCommand.self, TokenCommand.self, ScheduleCommand.self, AuditCommand.self,
    ]

    /// What `help` asks about the service's commands, as that program is asked; nil for all else,
    /// which is known here.
    static func help(_ arguments: [String]) -> [String]? {
        guard arguments.count > 1, arguments[0] == "help",
            commands.contains(where: { $0.configuration.commandName == arguments[1] })
        else { return nil }
        return arguments
    }

    /// Becomes the service's program: the one beside this one, else the one on PATH.
    ///
    /// - Returns: why it could not; otherwise it does not return.
    static func replaceThisOne(_ arguments: [String]) -> Failure {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        if count > 0 {
            let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let folder = own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex)
            execute("\(folder)/\(name)", arguments)
        }
        execute(name, arguments)
        return Failure(
            .failed, "no_service",
            "\(name) is neither beside this program nor on PATH; \"make build-server\" builds it")
    }

    private static func execute(_ path: String, _ arguments: [String]) {
        var words: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        words.append(nil)
        signal(SIGPIPE, SIG_DFL)
        execvp(path, words)
    }
}
