import ArgumentParser
import Dispatch
import Glibc

/// `cairn-demo`: a backup and a restore of a database of its own, from beginning to end.
@main struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn-demo",
        abstract: "Show a backup, damage to the data and a proven restore on a private mongod.",
        subcommands: [RunCommand.self, ServeCommand.self], defaultSubcommand: RunCommand.self)
}

/// What the private server is filled with.
struct DataOptions: ParsableArguments {
    @Option(help: "How many documents there are in all ($DOCUMENTS, or 200,000).")
    var documents = Self.environment("DOCUMENTS", or: 200_000)

    @Option(help: "What the random data derive from ($SEED, or 1).")
    var seed: UInt64 = Self.environment("SEED", or: 1)

    func validate() throws {
        guard (0...100_000_000).contains(documents) else {
            throw ValidationError("the number of documents is from 0 to 100000000")
        }
    }

    /// A number in the environment. What is no number is left for the command line to state.
    private static func environment<Number: FixedWidthInteger>(
        _ name: String, or number: Number
    ) -> Number {
        getenv(name).flatMap { Number(String(cString: $0)) } ?? number
    }
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
            try await Demo(documentCount: data.documents, seed: data.seed).run()
        }
    }
}

/// A filled server for benchmarks and for trying things out.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start a private mongod, load the data, print its URI, wait for end of input.")

    @OptionGroup var data: DataOptions

    func run() async throws {
        let data = data
        try await untilInterrupted {
            let server = try await DemoServer(documentCount: data.documents, seed: data.seed)
            try await server.load()
            Terminal.say(server.uri)
            await endOfInput()
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

/// Returns when standard input ends, or when the task is cancelled.
private func endOfInput() async {
    let (ends, continuation) = AsyncStream<Void>.makeStream()
    // A thread that blocks, for libdispatch's sources crash now and then at the end of a pipe. When
    // the task is cancelled, it ends with the process.
    DispatchQueue(label: "cairn.end-of-input").async {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while read(STDIN_FILENO, &bytes, bytes.count) > 0 {}
        continuation.finish()
    }
    for await _ in ends {}
}
