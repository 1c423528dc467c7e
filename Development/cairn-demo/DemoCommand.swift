import ArgumentParser
import Dispatch
import Glibc
import SampleData

/// `cairn-demo`: a backup and a restore of a database of its own, from beginning to end.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn-demo",
        abstract: "Show a backup, damage to the data and a proven restore on a private mongod.",
        subcommands: [
            RunCommand.self, ServeCommand.self, WriteCommand.self, SettleCommand.self,
            ChangeCommand.self, StateCommand.self,
        ], defaultSubcommand: RunCommand.self)
}

/// What all random choices of the data come from.
struct SeedOption: ParsableArguments {
    @Option(help: "What the random data derive from ($SEED, or 1).")
    var seed: UInt64 = number(inEnvironment: "SEED") ?? 1
}

/// What the private server is filled with.
struct DataOptions: ParsableArguments {
    /// How many documents may be asked for.
    static let documentCounts = 0...100_000_000

    @Option(help: "How many documents there are in all ($DOCUMENTS, or 200,000).")
    var documents = number(inEnvironment: "DOCUMENTS") ?? 200_000

    @OptionGroup var seedOption: SeedOption

    /// What the random data derive from.
    var seed: UInt64 { seedOption.seed }

    /// The booking platform's.
    var dataSet: SampleDataSet { SampleDataSet(seed: seed, documentCount: documents) }

    func validate() throws {
        guard Self.documentCounts.contains(documents) else {
            throw ValidationError("the number of documents is from 0 to 100000000")
        }
    }
}

/// A number in the environment. What is no number is left for the command line to state.
private func number<Number: FixedWidthInteger>(inEnvironment name: String) -> Number? {
    getenv(name).flatMap { Number(String(cString: $0)) }
}

/// The demonstration itself.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Load, back up, verify, damage, restore and compare; 0 when all is equal again.")

    @OptionGroup var data: DataOptions

    func run() async throws {
        let data = data
        try await untilInterrupted {
            try await Demo(dataSet: data.dataSet).run()
        }
    }
}

/// Runs `body`; SIGINT and SIGTERM cancel it, and the process ends with 130 once it has cleaned up.
func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let (signals, continuation) = AsyncStream<CInt>.makeStream()
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { continuation.yield(number) }
        source.resume()
        return source
    }
    defer { sources.forEach { $0.cancel() } }
    let isInterrupted = try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
            try await body()
            return false
        }
        group.addTask {
            for await _ in signals { return true }
            return false
        }
        defer { group.cancelAll() }
        guard try await group.next() == true else { return false }
        group.cancelAll()
        // Errors of what was cancelled are no news.
        _ = await group.nextResult()
        return true
    }
    guard !isInterrupted else {
        Terminal.complain("interrupted; the server and all files are removed")
        throw ExitCode(130)
    }
}
