import CairnCommand
import Foundation
import Testing

/// The whole program, with all that needs no server; what it prints is seen in the test's output.
@Suite struct ProgramTests {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/mongodump-100.18/clinic.archive.gz").path

    private static let cases: [([String], Int32)] = [
        (["--version"], 0), (["help", "backup"], 0), (["bakcup"], 64), (["restore", "latest"], 64),
        (["list", "--repository", "/nowhere/at/all", "--quiet"], 10),
        (["list", "--repository", "/nowhere/at/all", "--json"], 10),
        (["show", "latest", "--repository", "/nowhere/at/all"], 10),
        (["show", "latest", "--archive", "x"], 64),
        (["verify", "--archive", "/nowhere/at/all"], 1), (["verify", "--archive", #filePath], 12),
        (["verify", "--archive", fixture], 0), (["show", "--archive", fixture, "--json"], 0),
        (["backup", "--uri", "nonsense", "--archive", "/nowhere/x"], 64),
        (["backup", "--level", "99", "--repository", "/nowhere/at/all"], 64),
        (["backup", "--chunk-size", "1KiB", "--repository", "/nowhere/at/all"], 64),
        (["backup", "--archive", "x", "--repository", "y"], 64),
        (["restore", "--archive", "/nowhere/x", "--mode", "merge", "--jobs", "0"], 64),
        (["restore", "--archive", "/nowhere/x", "--mode", "merge", "--ns-rename", "a.b"], 64),
    ]

    @Test(arguments: cases)
    func exitCode(arguments: [String], code: Int32) async {
        #expect(await Program.run(arguments) == code)
    }
}
