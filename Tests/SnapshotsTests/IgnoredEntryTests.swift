import Foundation
import ObjectStorage
import Testing

@testable import Snapshots

/// What lies in a repository's folder and is no snapshot is named, not passed over.
@Suite struct IgnoredEntryTests {
    @Test func whatIsNoSnapshotIsNamedWithItsReason() async throws {
        let repository = try await MadeRepository()
        try await repository.add(20_000)
        let key = try #require(try await repository.catalog.list().first?.key)
        let folder = repository.folder
        let path = "\(folder.path)/"
        #expect(symlink(path + key, path + "a" + key) == 0)
        #expect(symlink(path + "nothing", path + "b" + key) == 0)
        #expect(mkdir(path + "c" + key, 0o700) == 0)
        #expect(mkfifo(path + "d" + key, 0o600) == 0)
        #expect(mkdir(path + "lost+found", 0o700) == 0)
        for name in ["e" + key, key + ".1", key.uppercased(), "notes.txt", ".hidden"] {
            _ = try folder.file(name, [1])
        }
        let bytes: [CChar] = Array((path + "z").utf8CString.dropLast()) + [-1, 0]
        let file = try #require(fopen(bytes, "w"))
        fclose(file)

        let ignored = try await repository.catalog.ignored()
        let reasons = Dictionary(uniqueKeysWithValues: ignored.map { ($0.name, $0.reason) })
        #expect(reasons["a" + key]?.hasPrefix("a symbolic link; move") == true)
        #expect(reasons["b" + key]?.contains("does not exist") == true)
        #expect(reasons["c" + key]?.hasPrefix("a folder") == true)
        #expect(reasons["d" + key] == "a named pipe")
        for name in ["e" + key, key + ".1", key.uppercased(), "notes.txt"] {
            #expect(
                reasons[name]?.hasPrefix("its name is not that of a snapshot") == true, "\(name)")
        }
        #expect(reasons["z\u{FFFD}"] == "its name is not UTF-8")
        #expect(ignored.count == 9)
        #expect(ignored.map(\.name) == ignored.map(\.name).sorted())
        // Nobody opened the pipe: one who writes finds no reader.
        #expect(open(path + "d" + key, O_WRONLY | O_NONBLOCK) == -1)
        #expect(try await repository.catalog.overviews().map(\.key) == [key])
    }

    @Test func aRepositoryOfSnapshotsIgnoresNothing() async throws {
        let repository = try await MadeRepository()
        try await repository.add(20_000)
        #expect(try await repository.catalog.ignored() == [])
    }

    /// Whoever asks for one by its name is told why it is none.
    @Test func aLinkThatIsAskedForIsNamed() async throws {
        let repository = try await MadeRepository()
        try await repository.add(20_000)
        let key = try #require(try await repository.catalog.list().first?.key)
        let path = "\(repository.folder.path)/"
        let link = key.replacing("T", with: "U")
        #expect(symlink(path + key, path + link) == 0)
        let error = await #expect(throws: SnapshotError.self) {
            try await repository.catalog.key(for: String(link.prefix(16)))
        }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("a symbolic link") == true)
    }
}
