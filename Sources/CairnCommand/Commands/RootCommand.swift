internal import ArgumentParser
internal import SnapshotJSON
internal import Snapshots

/// `cairn`.
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn",
        abstract: "Back up, inspect and restore MongoDB.",
        discussion: """
            Set MONGODB_URI and CAIRN_REPOSITORY once; every command uses them.

            Exit codes:
              0    done, and proven
              1    failed
              3    finished, but documents were refused by the server or are lost, snapshots
                   could not be removed, or strings are not UTF-8
              4    finished, and what was compared differs
              10   there is no repository
              11   locked: another job works on the same snapshots or collections
              12   the archive is damaged, cut or no archive
              64   the command was not understood
              130  cancelled
            """,
        version: Tool.description,
        subcommands: [
            BackupCommand.self, RestoreCommand.self, VerifyCommand.self, ShowCommand.self,
            ListCommand.self, StatsCommand.self, DeleteCommand.self, PruneCommand.self,
            GetCommand.self, FindCommand.self, ExportCommand.self,
            DiffCommand.self, IndexCommand.self, SalvageCommand.self, KeptCommand.self,
            TuneCommand.self, ServeCommand.self, TokenCommand.self, ScheduleCommand.self,
            AuditCommand.self,
        ])
}

/// A subcommand: it does its work and says what came of it. Who writes that, and what a signal or a
/// failure means, is the program's business.
protocol Job: ParsableCommand, Sendable {
    /// What is written, and how.
    var output: OutputOptions { get }
    /// Whether standard output is taken, so that the result goes to standard error.
    var writesArchiveToOutput: Bool { get }
    /// Whether it is done for what it writes to standard output, so that without that it need not
    /// be done.
    var isItsOutput: Bool { get }
    /// What a user who cancels it is told.
    var cancellationMessage: String { get }

    /// Does it. Called once.
    ///
    /// - Throws: errors of any layer; `Failure` knows them all.
    func perform(_ observer: any JobObserver) async throws -> JobResult
}

extension Job {
    /// Only a backup may need it for itself.
    var writesArchiveToOutput: Bool { false }
    /// Most do something else.
    var isItsOutput: Bool { false }
    /// A command that only reads leaves nothing.
    var cancellationMessage: String { "cancelled" }
}
