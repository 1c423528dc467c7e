import Foundation
import Glibc
import MongoDriver
import PrivateServer
import SampleData

/// The demonstration: load → back up → verify → damage → restore → prove. Everything that a user
/// would do is done by the command line `cairn`, so that its lines can be copied.
struct Demo: Sendable {
    let dataSet: SampleDataSet

    /// Runs it; returns only when the restored data is proven equal.
    ///
    /// - Throws: `DemoError` with what is not equal, or which step failed.
    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let cairn = try CairnProgram.besideThisOne()
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        Terminal.say(
            Terminal.bold("Cairn demo")
                + ": \(dataSet.documentCount.grouped) documents of an imaginary platform for "
                + "coaches, seed \(dataSet.seed)")
        Terminal.say()
        let server = try await startAndLoad()
        let original = try await DatabaseState(reading: DemoServer.database, server.pool)
        let steps = DemoSteps(
            cairn: cairn, server: server, dataSet: dataSet,
            repository: folder.path + "/repository", original: original)
        var report = DemoReport(original: original)
        report.timings.append(("backup", try await steps.backUp()))
        report.timings.append(("verify", try await steps.verify()))
        try await steps.damage()
        report.timings.append(("restore", try await steps.restore()))
        report.restored = try await DatabaseState(reading: DemoServer.database, server.pool)
        report.totalSeconds = start.duration(to: clock.now).inSeconds
        try report.conclude()
    }

    private func startAndLoad() async throws -> DemoServer {
        let clock = ContinuousClock()
        let start = clock.now
        let server = try await DemoServer()
        let version = try await server.pool.withConnection { try await $0.serverInfo() }
            .versionString
        let started = clock.now
        Terminal.say(
            "A private mongod \(version) answers at \(server.uri) "
                + "(\(start.duration(to: started).inSeconds.tenths) s)")
        try await server.load(dataSet)
        let collections = dataSet.collections
        let indexCount = collections.reduce(0) { $0 + $1.indexes.count + 1 }
        Terminal.say(
            "Loaded \(collections.count) collections with \(indexCount) indexes "
                + "(\(started.duration(to: clock.now).inSeconds.tenths) s)")
        return server
    }
}

/// The steps between loading and proof.
struct DemoSteps: Sendable {
    let cairn: CairnProgram
    let server: DemoServer
    let dataSet: SampleDataSet
    let repository: String
    let original: DatabaseState

    /// How long it took, in seconds.
    func backUp() async throws -> Double {
        let seconds = try await cairn.run(
            "backup", "--db", DemoServer.database, "--uri", server.uri, "--repository", repository)
        try await cairn.run("list", "--repository", repository)
        return seconds
    }

    func verify() async throws -> Double {
        try await cairn.run("verify", "latest", "--repository", repository)
    }

    /// Spoils the data and shows that it is spoilt.
    func damage() async throws {
        Terminal.say()
        Terminal.say(Terminal.bold("Now something goes wrong:"))
        let deeds = try await Damage(
            dataSet: dataSet, pool: server.pool, database: DemoServer.database
        ).run()
        for deed in deeds { Terminal.say("  - \(deed)") }
        let damaged = try await DatabaseState(reading: DemoServer.database, server.pool)
        let differences = damaged.differences(from: original)
        guard !differences.isEmpty else { throw DemoError("the damage left the data as it was") }
        Terminal.say("What count, fingerprint and indexes say about it:")
        let width = differences.map(\.collection.count).max() ?? 0
        for difference in differences {
            Terminal.say(
                "  " + Terminal.red("✗") + " \(difference.collection.padded(to: width))  "
                    + difference.what)
        }
    }

    func restore() async throws -> Double {
        try await cairn.run(
            "restore", "latest", "--mode", "replace", "--uri", server.uri,
            "--repository", repository)
    }
}

/// The command line that people use.
struct CairnProgram: Sendable {
    let path: String

    /// The one that was built with this program.
    static func besideThisOne() throws -> CairnProgram {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: "cairn").path
        guard access(path, X_OK) == 0 else {
            throw DemoError("there is no \(path); build it with \"make build\"")
        }
        return CairnProgram(path: path)
    }

    /// Shows a command line, runs it on our terminal and answers how many seconds it took.
    @discardableResult
    func run(_ arguments: String...) async throws -> Double {
        try Task.checkCancellation()
        let line = (["cairn"] + arguments).map(\.quotedForShell).joined(separator: " ")
        Terminal.say()
        Terminal.say(Terminal.bold("$ " + line))
        let clock = ContinuousClock()
        let start = clock.now
        let code = try await ChildProcess.run([path] + arguments)
        try Task.checkCancellation()
        guard code == 0 else { throw DemoError("\"cairn \(arguments[0])\" ended with \(code)") }
        return start.duration(to: clock.now).inSeconds
    }
}

/// A folder of our own for the repository.
struct TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "cairn-demo-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    func remove() {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            Terminal.complain("\(path) can't be removed: \(error)")
        }
    }
}
