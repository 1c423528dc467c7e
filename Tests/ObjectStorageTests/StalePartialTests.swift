import Foundation
import Testing

@testable import ObjectStorage

@Suite struct StalePartialTests {
    @Test func aTokenIsReadBackFromItsText() throws {
        let text = OwnerToken.current.description
        #expect(OwnerToken(parsing: text) == .current)
        #expect(text.utf8.count <= OwnerToken.byteCountMax)
        let allowed = Set("0123456789abcdefghijklmnopqrstuvwxyz-")
        #expect(text.allSatisfy(allowed.contains))
        #expect(OwnerToken.current.state == .alive)
    }

    @Test(arguments: [
        "", "3f9a1c20", "3f9a1c20-1", "3f9a1c20-0-9b1c3d5e", "3f9a1c20--1-9b1c3d5e",
        "3f9a1c20-01-9b1c3d5e", "3F9a1c20-1-9b1c3d5e", "3f9a1c20-1-9b1c3d5", "x-1-9b1c3d5e",
        "3f9a1c20-99999999999-9b1c3d5e", "3f9a1c20-1-9b1c3d5e-", "3f9a1c20-+1-9b1c3d5e",
    ])
    func whatIsNoTokenIsRefused(text: String) {
        #expect(OwnerToken(parsing: text) == nil)
    }

    @Test func aProcessIsDeadOnceItHasEndedEvenUnreaped() throws {
        let child = try spawnSleep()
        let token = OwnerToken(processID: child)
        #expect(token.state == .alive)
        kill(child, SIGKILL)
        var status = siginfo_t()
        #expect(waitid(P_PID, id_t(child), &status, WEXITED | WNOWAIT) == 0)
        #expect(token.state == .dead)
        #expect(waitpid(child, nil, 0) == child)
        #expect(token.state == .dead)
    }

    @Test func aProcessIDUsedAgainIsSomebodyElse() throws {
        let parts = OwnerToken.current.description.split(separator: "-")
        let earlier = try #require(OwnerToken(parsing: "\(parts[0])-\(parts[1])-00000000"))
        #expect(earlier.state == .dead)
        let foreign = try #require(OwnerToken(parsing: "00000000-\(parts[1])-\(parts[2])"))
        #expect(foreign.state == .elsewhere)
    }

    @Test func onlyLeftoversOfTheDeadAreRemoved() async throws {
        let folder = try TemporaryFolder()
        let parts = OwnerToken.current.description.split(separator: "-")
        let dead = ".a.partial-\(parts[0])-\(parts[1])-00000000"
        let parent = OwnerToken(processID: getppid())
        let kept = [
            ".b.partial-\(parent)", ".c.partial-00000000-1-00000000",
            ".d.partial-nobody", ".e", "f.partial-\(parts[0])-\(parts[1])-00000000",
        ]
        for name in kept + [dead] { try folder.makeFile(name) }
        let store = try await FileSystemStore(folder: folder.path, create: false)
        #expect(try await store.removeStalePartials() == [dead])
        #expect(try folder.fileNames() == kept.sorted())
        #expect(try await store.removeStalePartials() == [])
    }

    @Test func leftoversOfOtherHostsAreRemovedAfterADay() async throws {
        let folder = try TemporaryFolder()
        let name = ".a.partial-00000000-1-00000000"
        try folder.makeFile(name)
        let store = try await FileSystemStore(folder: folder.path, create: false)
        let now = Int64(time(nil))
        #expect(try await store.removeStalePartials(nowSeconds: now + 86_000).isEmpty)
        #expect(try await store.removeStalePartials(nowSeconds: now + 86_500) == [name])
    }

    @Test func aKilledUploadLeavesNothingVisibleAndIsCleanedUp() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try await FileSystemStore(folder: path, create: false)
            try await store.withUpload(key: "a") { upload in
                try await upload.write([1, 2, 3])
                _ = kill(getpid(), SIGKILL)
                try await Task.sleep(for: .seconds(60))
            }
        }
        let store = try await FileSystemStore(folder: path, create: false)
        #expect(try await store.list().isEmpty)
        #expect(try folder.fileNames().count == 1)
        #expect(try await store.removeStalePartials().count == 1)
        #expect(try folder.fileNames().isEmpty)
    }

    private func spawnSleep() throws -> pid_t {
        var child: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
        defer { arguments.forEach { free($0) } }
        try #require(posix_spawn(&child, "/bin/sleep", nil, nil, &arguments, nil) == 0)
        return child
    }
}
