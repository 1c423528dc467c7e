import Foundation
import PrivateServer
import Testing

/// A mongorestore of MongoDB's, as its users have it.
struct Mongorestore: Sendable, CustomTestStringConvertible {
    /// A run that takes longer counts as hanging.
    private static let timeoutSeconds = 180

    /// Those in `CAIRN_MONGORESTORE` (paths with colons between them), else the one on `PATH`.
    static let all: [Mongorestore] = {
        let environment = ProcessInfo.processInfo.environment
        if let stated = environment["CAIRN_MONGORESTORE"], !stated.isEmpty {
            return stated.split(separator: ":").map { Mongorestore(path: String($0)) }
        }
        let paths = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/mongorestore" }
        return paths.filter { FileManager.default.isExecutableFile(atPath: $0) }.prefix(1)
            .map { Mongorestore(path: $0) }
    }()

    let path: String

    /// What this version does not bring back, and later ones do.
    ///
    /// Up to 100.9 a collection with a line break in its name is left out, and now and then an
    /// index on a hashed `_id` is taken for the one that every collection has.
    func ownDefects() async throws -> Set<String> {
        let (status, output) = try await Shell.run("'\(path)' --version")
        try #require(status == 0, "\(path): \(output)")
        let version = output.split(separator: "\n").first?.split(separator: " ").last ?? ""
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] == 100, numbers[1] <= 9 else { return [] }
        return ["new\nline is gone", "indexed: index id_hash", "indexed: index count"]
    }

    var testDescription: String { URL(filePath: path).lastPathComponent }

    /// Restores an archive, as a file or as its content through a pipe.
    func restore(
        _ archive: String, to server: PrivateServer, throughPipe: Bool, replaysOplog: Bool = false
    ) async throws {
        // Documents may be older than the rule that they break.
        let replay = replaysOplog ? " --oplogReplay" : ""
        let common = "--drop --bypassDocumentValidation --uri '\(server.uri)'" + replay
        let script =
            throughPipe
            ? "zcat '\(archive)' | '\(path)' \(common) --archive"
            : "'\(path)' \(common) --gzip --archive='\(archive)'"
        let (status, output) = try await Shell.run(script, timeoutSeconds: Self.timeoutSeconds)
        try #require(
            status == 0, "\(testDescription) ended with \(status):\n\(output.suffix(3000))")
        #expect(!output.contains("don't know what to do with file"), "\(output.suffix(3000))")
        #expect(output.contains(" 0 document(s) failed to restore"), "\(output.suffix(3000))")
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs where there is a mongorestore, and says so loudly where there is none.
    static var needsMongorestore: Self {
        .enabled(
            if: !Mongorestore.all.isEmpty,
            "needs mongorestore: put it on PATH or set CAIRN_MONGORESTORE to one or more paths")
    }
}

/// Commands of other people's programs.
enum Shell {
    /// Runs a script in bash that is killed with all it started when it takes too long, and answers
    /// its exit status and all it printed.
    static func run(
        _ script: String, timeoutSeconds: Int = 60
    ) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "timeout", "-s", "KILL", "\(timeoutSeconds)", "bash", "-o", "pipefail", "-c", script,
        ]
        // A file, for a full pipe would look like a program that hangs.
        let log = URL(filePath: NSTemporaryDirectory() + "cairn-test-" + UUID().uuidString)
        try Data().write(to: log)
        let handle = try FileHandle(forWritingTo: log)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try await withCheckedThrowingContinuation {
            (waiting: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in waiting.resume() }
            do { try process.run() } catch { waiting.resume(throwing: error) }
        }
        try handle.close()
        let output = String(decoding: try Data(contentsOf: log), as: UTF8.self)
        try FileManager.default.removeItem(at: log)
        let isKilled = process.terminationReason == .uncaughtSignal
        return (isKilled ? 128 + process.terminationStatus : process.terminationStatus, output)
    }
}
