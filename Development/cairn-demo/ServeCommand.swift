import ArgumentParser
import Dispatch
import Glibc
import SampleData

/// A filled server for benchmarks and for trying things out.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start a private mongod, load the data, print its URI, wait for end of input.")

    @OptionGroup var data: DataOptions

    @Option(
        help: ArgumentHelp(
            "What to load instead, and the database for it; may be repeated. Themes: "
                + "\(DataSetOption.themes).",
            valueName: "theme:documents[:database]"))
    var dataSet: [DataSetOption] = []

    @Option(name: .customLong("cache-gb"), help: "Memory for the server's cache in GB.")
    var cacheGB = 1.0

    func validate() throws {
        // What mongod takes.
        guard (0.25...10_000).contains(cacheGB) else {
            throw ValidationError("the cache has 0.25 to 10000 GB")
        }
    }

    func run() async throws {
        let (data, dataSets, cacheGB) = (data, dataSet, cacheGB)
        try await untilInterrupted {
            let server = try await DemoServer(cacheGB: cacheGB)
            for dataSet in dataSets {
                try await server.load(dataSet.dataSet(seed: data.seed), into: dataSet.database)
            }
            if dataSets.isEmpty { try await server.load(data.dataSet) }
            Terminal.say(server.uri)
            await endOfInput()
        }
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
