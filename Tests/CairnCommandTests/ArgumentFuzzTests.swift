import ArgumentParser
import Foundation
import SampleData
import Testing

@testable import CairnCommand

/// Command lines made of the options that there are and of values that nobody would give, within
/// this process: a trap would end the tests.
@Suite struct ArgumentFuzzTests {
    private static let lineCount = 60
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/mongodump-100.18/clinic.archive.gz").path

    /// Those that become another program, or read what somebody types, are not for here.
    private static let commands = [
        "backup", "restore", "verify", "show", "list", "stats", "delete", "prune", "get", "find",
        "export", "diff", "index", "salvage", "kept", "tune",
    ]

    private static let values = [
        "", "0", "-1", "1", "64", "65", "9223372036854775807", "-9223372036854775808",
        "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e308", "nan",
        "inf",
        "1e400", "0x10", "٣", "1s", "0s", "3660d", "9223372036854775807s", "9223372036854775807d",
        "-1h", "9223372036854775807MiB", "1MiB", "16MiB", "18014398509481984KiB",
        "9223372036854775807MB/s", "1docs", "9223372036854775807docs", "docs", "/s", "*", "a.*",
        "*.*=*.*", "a.b=c.d", "=", "a=", String(repeating: "*a", count: 500) + ".b",
        String(repeating: "x", count: 100_000), "a." + String(repeating: "é", count: 400),
        "clinic.users", "clinic.vitals", "clinic.pending_bookings", "oplog", "latest", "{}",
        #"{"a": {"$in": [1, 2]}}"#, #"{"a": {"$mod": [0, 0]}}"#, #"{"_id": {"$numberLong": "x"}}"#,
        #"{"a": {"$size": -1}}"#, #"{"a": {"$bitsAllSet": [99999999999]}}"#,
        #"{"a": {"$regex": "(a"}}"#, #"{"a": 1e999}"#,
        String(repeating: #"{"a":"#, count: 3000), String(repeating: "[", count: 50_000),
        #"{"$numberDecimal": "1e99999999999999999999"}"#, "_id,a , \"b,c\"", "a..b", ",", "\"",
        "gzip", "zstd", "csv", "json", "bson", "ndjson", "merge", "replace", "preview", "oplog",
        "id", "\u{1}", "😀", "20261123T084512Z-manual-3f9a1c", "99999999T999999Z-a-ffffff",
        "/nowhere/at/all", "/dev/null/x", ".", "/",
    ]

    /// Options as the help has them; true for those that take a value.
    private static func options(of command: String) -> [(name: String, takesValue: Bool)] {
        let type = RootCommand.configuration.subcommands.first {
            $0.configuration.commandName == command
        }
        let help = RootCommand.helpMessage(for: type ?? RootCommand.self, columns: 200)
        return help.matches(of: /\n  (--[a-z-]+)( <[^>]+>)?/).map {
            (String($0.output.1), $0.output.2 != nil)
        }
    }

    private static func line(_ random: inout SplitMix64, _ folder: String) -> [String] {
        let command = commands[random.below(commands.count)]
        let options = options(of: command).filter { !["--help", "--version"].contains($0.name) }
        func value() -> String { values[random.below(values.count)] }
        var line = [command]
        let takesArchive = options.contains { $0.name == "--archive" }
        if takesArchive || random.chance(5) { line += ["--archive", fixture] }
        // Half of the lines are nearly right, or the parser would refuse all of them.
        let isNearlyRight = random.chance(50)
        if isNearlyRight, ["get", "find", "export"].contains(command) {
            line.append("clinic.users")
            if command == "get" { line.append(value()) }
        } else if !isNearlyRight {
            for _ in 0..<random.below(4) { line.append(value()) }
        }
        for _ in 0..<random.below(isNearlyRight ? 2 : 6) {
            guard !options.isEmpty else { break }
            let option = options[random.below(options.count)]
            line.append(option.name)
            if option.takesValue || random.chance(5) { line.append(value()) }
        }
        // Last, so that they count: nothing is to be reached, waited for or written elsewhere.
        let fixed: [(String, String)] = [
            ("--repository", folder), ("--retry-for", "0s"), ("--lock-wait", "0s"),
            ("--uri", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50&connectTimeoutMS=50"),
            ("--to", "/nowhere/at/all"), ("--write-config", "/nowhere/at/all"),
        ]
        let hasArchive = line.contains("--archive")
        for (name, value) in fixed where options.contains(where: { $0.name == name }) {
            if name == "--repository", hasArchive { continue }
            if name == "--to", ["find", "get"].contains(command) { continue }
            line += [name, value]
        }
        return line + (random.chance(30) ? ["--json"] : []) + ["--quiet"]
    }

    /// Each ends with one of the exit codes that there are.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func everyCommandLineEndsWithAnExitCode(seed: UInt64) async {
        print("ArgumentFuzzTests: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let folder = NSTemporaryDirectory() + "cairn-arguments-" + UUID().uuidString
        defer {
            do { try FileManager.default.removeItem(atPath: folder) } catch {
                print("nothing was made: \(error)")
            }
        }
        var codes: [Int32: Int] = [:]
        for _ in 0..<Self.lineCount {
            let line = Self.line(&random, folder)
            let code = await Program.run(line)
            codes[code, default: 0] += 1
            let known = ProgramStatus.allCases.map(\.rawValue)
            #expect(known.contains(code), "seed \(seed): \(line.map { $0.prefix(100) })")
        }
        print("ArgumentFuzzTests: \(codes)")
        // Lines that are all refused by the parser would prove nothing.
        #expect(codes.filter { $0.key != 64 }.values.reduce(0, +) > 3, "seed \(seed): \(codes)")
    }

    /// How many values each option gets in one run.
    private static let valueCount = 6

    /// Values to each option by itself, as far as parsing and the checks before any work go.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func valuesOfEveryOptionAreReadOrRefused(seed: UInt64) {
        print("ArgumentFuzzTests: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let values = Self.values.filter { $0.utf8.count <= 4000 }
        let options = Self.commands.flatMap { command in
            Self.options(of: command).filter(\.takesValue).map { (command, $0) }
        }
        for (command, option) in options {
            for _ in 0..<Self.valueCount {
                let value = values[random.below(values.count)]
                do {
                    _ = try RootCommand.parseAsRoot([command, option.name, value])
                } catch {
                    #expect(!RootCommand.message(for: error).isEmpty)
                }
            }
        }
    }
}
