import CairnCommand
import Foundation
import ObjectStorage
import Snapshots
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
        (["backup", "--max-rate", "20", "--repository", "/nowhere/at/all"], 64),
        (["restore", "--archive", "/nowhere/x", "--mode", "merge", "--jobs", "0"], 64),
        (["restore", "--archive", "/nowhere/x", "--mode", "merge", "--ns-rename", "a.b"], 64),
        (
            [
                "restore", "--archive", "/nowhere/x", "--mode", "replace", "--on-conflict",
                "keep",
            ], 64
        ),
        (["get", "--archive", fixture, "clinic.nothing", "1"], 1),
        (["get", "--archive", fixture, "clinic"], 64),
        (["get", "--archive", fixture, "nodot", "1"], 64),
        (["get", "clinic.patients", "1", "--repository", "/nowhere/at/all"], 64),
        (
            ["export", "--archive", fixture, "clinic.nothing", "--format", "json", "--to", "/x/y"],
            1
        ),
        (["find", "--archive", fixture, "clinic.users", "--filter", #"{"a": 1}"#], 0),
        (["find", "--archive", fixture, "clinic.users", "--count", "--limit", "2"], 0),
        (["find", "--archive", fixture, "clinic.nothing"], 1),
        (["find", "--archive", fixture, "clinic.users", "--filter", "{a: 1}"], 64),
        (["find", "--archive", fixture, "clinic.users", "--filter", #"{"$where": "1"}"#], 64),
        (["find", "--archive", "/nowhere/x", "a.b", "--filter", #"{"a": {"$x": 1}}"#], 64),
        (["find", "--archive", fixture, "clinic.users", "--limit", "0"], 64),
        (["find", "--archive", fixture, "clinic.users", "--count", "--to", "/x/y"], 64),
        (["find", "--archive", fixture, "clinic.users", "--format", "csv"], 64),
        (["export", "--archive", fixture, "clinic.a", "--format", "csv"], 64),
        (["export", "--archive", fixture, "clinic.a", "--format", "json", "--fields", "a"], 64),
        (["index", "/nowhere/x", "--to", "/nowhere/y"], 1),
        (["index", #filePath, "--to", "/x"], 12),
        (["index", fixture, "--to", "x", "--repository", "y"], 64),
        (["diff", fixture, fixture], 1), (["diff", "latest"], 64),
        (["diff", fixture, fixture, "--samples", "-1"], 64),
        (["salvage", #filePath, "--to", "/nowhere-\(getpid())"], 12),
        (["stats", "--repository", "/nowhere/at/all"], 10),
        (["delete", "a", "--repository", "/nowhere/at/all"], 10), (["delete"], 64),
        (["prune", "--repository", "/nowhere/at/all"], 10),
        (["prune", "--max-count", "100001", "--repository", "/nowhere/at/all"], 64),
        (["prune", "--keep-days", "x"], 64),
        (["verify", "latest", "--lock-wait", "3", "--repository", "/nowhere/at/all"], 64),
    ]

    @Test(arguments: cases)
    func exitCode(arguments: [String], code: Int32) async {
        #expect(await Program.run(arguments) == code)
    }

    /// The driver makes a file in shared memory for every process that loads it.
    @Test func nothingIsLeftInSharedMemory() async {
        #expect(await Program.run(["--version"]) == 0)
        #expect(!FileManager.default.fileExists(atPath: "/dev/shm/mongoc-\(getpid())"))
    }

    /// From an archive of mongodump to a snapshot, and to what is left of it when it is damaged.
    @Test func anArchiveIsIndexedLookedIntoDamagedAndSaved() async throws {
        let folder = NSTemporaryDirectory() + "cairn-program-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { unlinkFolder(folder) }
        let snapshot = folder + "/snapshot.archive.zst"
        #expect(
            await Program.run([
                "index", Self.fixture, "--to", snapshot, "--codec", "zstd", "--quiet",
            ]) == 0)
        #expect(await Program.run(["verify", "--archive", snapshot, "--quiet"]) == 0)
        // The name is taken now.
        #expect(await Program.run(["index", Self.fixture, "--to", snapshot]) == 1)
        var bytes = try Data(contentsOf: URL(filePath: snapshot))
        bytes[bytes.count / 3] ^= 0x10
        let damaged = folder + "/damaged"
        try bytes.write(to: URL(filePath: damaged))
        #expect(await Program.run(["verify", "--archive", damaged, "--quiet"]) == 12)
        let saved = folder + "/saved"
        #expect(await Program.run(["salvage", damaged, "--to", saved, "--json"]) == 3)
        #expect(await Program.run(["verify", "--archive", saved, "--quiet"]) == 0)
        #expect(await Program.run(["salvage", snapshot, "--to", folder + "/again"]) == 0)
        #expect(await Program.run(["diff", snapshot, folder + "/again"]) == 0)
        #expect(await Program.run(["diff", snapshot, saved]) == 4)
    }

    /// A folder as mongodump writes it is read by every command that reads archives.
    @Test func aFolderOfMongodumpIsReadLikeAnArchive() async throws {
        let folder = NSTemporaryDirectory() + "cairn-program-" + UUID().uuidString
        let dump = folder + "/dump"
        try FileManager.default.createDirectory(
            atPath: dump + "/shop", withIntermediateDirectories: true)
        defer { unlinkFolder(folder) }
        // {"_id": 1}
        let document: [UInt8] = [14, 0, 0, 0, 16, 0x5F, 0x69, 0x64, 0, 1, 0, 0, 0, 0]
        let file = dump + "/shop/orders.bson"
        try Data(document).write(to: URL(filePath: file))
        for place in [dump, dump + "/", dump + "/shop", file] {
            let cases: [([String], Int32)] = [
                (["verify", "--archive", place], 0), (["show", "--archive", place, "--json"], 0),
                (["get", "--archive", place, "shop.orders", "1"], 0),
                (["get", "--archive", place, "shop.orders", "2"], 1),
                (["find", "--archive", place, "shop.orders", "--count"], 0),
                (["export", "--archive", place, "shop.orders", "--format", "json"], 0),
                (["diff", place, place], 1),
                (["salvage", place, "--to", folder + "/saved"], 0),
                (["index", place, "--to", folder + "/new", "--quiet"], 0),
                (["verify", "--archive", folder + "/new"], 0),
                (["diff", folder + "/new", folder + "/saved"], 0),
            ]
            for (arguments, code) in cases {
                #expect(await Program.run(arguments) == code, "\(arguments)")
            }
            for name in ["/new", "/saved"] {
                try FileManager.default.removeItem(atPath: folder + name)
            }
        }
        // Cut, and no dump at all.
        try Data(document.dropLast()).write(to: URL(filePath: file))
        for place in [dump, dump + "/shop", file] {
            #expect(await Program.run(["verify", "--archive", place]) == 12)
            #expect(await Program.run(["index", place, "--to", folder + "/new"]) == 12)
            #expect(!FileManager.default.fileExists(atPath: folder + "/new"))
        }
        try FileManager.default.removeItem(atPath: file)
        #expect(await Program.run(["verify", "--archive", dump]) == 12)
        #expect(await Program.run(["verify", "--archive", folder]) == 12)
    }

    /// From three snapshots to the last one that is known to be whole.
    @Test func aRepositoryIsKeptInOrder() async throws {
        let folder = NSTemporaryDirectory() + "cairn-program-" + UUID().uuidString
        defer { unlinkFolder(folder) }
        for _ in 1...3 {
            #expect(
                await Program.run(["index", Self.fixture, "--repository", folder, "--quiet"]) == 0)
        }
        let store = try await FileSystemStore(folder: folder, create: false)
        let catalog = SnapshotCatalog(store)
        // In their order; their names tell the second only.
        let ids = try await catalog.overviews().map(\.id.description)
        let place = ["--repository", folder, "--quiet"]
        #expect(await Program.run(["verify", ids[0]] + place) == 0)
        for command in ["list", "stats"] {
            #expect(await Program.run([command] + place) == 0)
            #expect(await Program.run([command, "--json"] + place) == 0)
        }
        #expect(await Program.run(["prune", "--max-count", "1", "--dry-run"] + place) == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 4)
        #expect(await Program.run(["delete", ids[0]] + place) == 1)
        #expect(await Program.run(["delete", ids[0], ids[1], "--json"] + place) == 3)
        let used = try #require(SnapshotID(ids[2]))
        let locks = RepositoryLocks(
            store,
            environment: JobEnvironment(now: { 0 }, random: { .random(in: 0 ... .max) }))
        try await locks.withLock(.reading([used], as: .read), observer: Silence()) {
            #expect(await Program.run(["delete", ids[2], "--force", "--json"] + place) == 11)
            #expect(await Program.run(["verify", ids[2]] + place) == 0)
            // Both are verified now; the newer one stays for that, and for being in use.
            #expect(await Program.run(["prune", "--max-count", "1"] + place) == 0)
        }
        #expect(try await catalog.overviews().map(\.id) == [used])
        #expect(await Program.run(["delete", ids[2], "--force"] + place) == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        #expect(await Program.run(["prune"] + place) == 0)
        #expect(await Program.run(["stats"] + place) == 0)
    }

    private struct Silence: JobObserver {
        func progressed(_ progress: JobProgress) {}
        func noticed(_ message: String) {}
    }

    private func unlinkFolder(_ folder: String) {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print(error) }
    }
}
