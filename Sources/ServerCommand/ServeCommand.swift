internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import HTTPService
internal import Logging
internal import MongoDriver
internal import NIOCore
internal import Operations
internal import Snapshots

/// `cairn serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve backups, restores and schedules over HTTP.",
        usage: "cairn serve --secret-file <file> [--uri <uri>] [--repository <folder>] [<options>]",
        discussion: """
            Listens on this machine's own address unless told otherwise; --host 0.0.0.0 with \
            --tls-certificate and --tls-key, or a proxy in front, makes it reachable from others. \
            SIGTERM and SIGINT end it: running jobs are given --grace, then cancelled.

            Examples:
              openssl rand -base64 32 > cairn.secret && chmod 600 cairn.secret
              cairn serve --secret-file cairn.secret --repository /var/backups/cairn
              cairn token --secret-file cairn.secret --role super_admin --subject ann --expires 1h
            """)

    @OptionGroup var key: KeyOptions

    @Option(help: ArgumentHelp("Connection string; else MONGODB_URI.", valueName: "uri"))
    var uri: String?
    @Option(
        help: ArgumentHelp(
            "File with the password of the connection string's user.", valueName: "file"))
    var passwordFile: String?
    @Flag(help: "Ask for that password on the terminal.")
    var passwordPrompt = false
    @Option(
        help: ArgumentHelp("Folder of the repository; else CAIRN_REPOSITORY.", valueName: "folder"))
    var repository: String?
    @Option(
        help: ArgumentHelp(
            "Folder for jobs, audit log and schedule; else CAIRN_STATE, STATE_DIRECTORY, or "
                + "~/.local/state/cairn.", valueName: "folder"))
    var state: String?

    @OptionGroup var network: NetworkOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var retention: RetentionOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let options = try makeOptions()
        let logger = log.makeLogger()
        OpenFileLimit.raise(forConnections: options.connectionCountMax, logger)
        let service = try await CairnService(options, environment: .system, logger: logger)
        do {
            try await service.run { port in
                logger.notice(
                    "listening",
                    metadata: [
                        "address": "\(options.host)", "port": "\(port)",
                        "tls": "\(options.tls != nil)",
                        "repository": "\(options.repositoryFolder)",
                    ])
            }
            let stuck = service.stuckJobs
            guard stuck.isEmpty else {
                throw ServerFailure(
                    status: CairnService.gaveUpStatus, code: "gave_up",
                    message: "given up with the process, because they did not end: "
                        + stuck.map { "\($0.id) (\($0.phase ?? $0.kind))" }
                        .joined(separator: ", "))
            }
        } catch let error as IOError {
            throw ServerFailure(
                status: 1,
                message: "cannot listen on \(options.host) port \(options.port): "
                    + String(cString: strerror(error.errnoCode)))
        } catch is SocketAddressError, is SocketAddressError.UnknownHost {
            throw ServerFailure.usage("--host \(options.host) is no address of this machine")
        }
    }

    private func makeOptions() throws -> ServiceOptions {
        guard let repository = repository ?? ServerEnvironment["CAIRN_REPOSITORY"] else {
            throw ServerFailure.usage(
                "no repository was named; give --repository FOLDER or set CAIRN_REPOSITORY")
        }
        let uri = uri ?? ServerEnvironment["MONGODB_URI"] ?? "mongodb://localhost:27017"
        guard let source = PasswordSource(file: passwordFile, asks: passwordPrompt) else {
            throw ServerFailure.usage("give --password-file or --password-prompt, not both")
        }
        var settings = try ServiceSettings(
            uri: uri,
            password: try source.password(for: uri) { warning in
                ServerProgram.say("cairn: warning: \(warning)")
            },
            width: min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 8))
        settings.retention = try retention.policy()
        settings.enduranceSeconds = Double(limits.retryFor?.seconds ?? 120)
        settings.waitsForServer = limits.retryFor != nil
        var options = ServiceOptions(
            stateFolder: StateFolderName.path(state),
            repositoryFolder: StateFolderName.absolute(
                repository), keys: try key.keys(), rules: try key.rules(), settings: settings)
        try network.apply(to: &options)
        try limits.apply(to: &options)
        return options
    }
}

/// Where the service's records are.
enum StateFolderName {
    /// The folder that is named, or the usual one.
    static func path(_ named: String?) -> String {
        if let named = named ?? ServerEnvironment["CAIRN_STATE"]
            ?? ServerEnvironment["STATE_DIRECTORY"]
        {
            return absolute(named)
        }
        let home =
            ServerEnvironment["XDG_STATE_HOME"]
            ?? "\(ServerEnvironment["HOME"] ?? "/root")/.local/state"
        return absolute("\(home)/cairn")
    }

    /// The same from the root.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
