import Foundation
import GRDB
import Testing

@testable import ServiceState

@Suite struct StateStoreTests {
    private let folder = TemporaryFolder()

    @Test func filesAreForTheirOwnerOnly() async throws {
        let store = try await StateStore(folder: folder.path + "/deep/state")
        try await store.insertJob(.made("a"))
        try await store.appendAudit(.made(1))
        #expect(try folder.permissions(of: "deep/state") == "700")
        for name in ["state.sqlite", "state.sqlite-wal", "audit.head", "lock"] {
            #expect(try folder.permissions(of: "deep/state/" + name) == "600", "\(name)")
        }
    }

    @Test func aFileThatOthersCouldReadIsClosedToThem() async throws {
        try await StateStore(folder: folder.path).close()
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: folder.path + "/state.sqlite")
        try await StateStore(folder: folder.path).close()
        #expect(try folder.permissions(of: "state.sqlite") == "600")
    }

    @Test func stateIsThereAgainHoweverOftenItIsOpened() async throws {
        for round in 0..<3 {
            let store = try await StateStore(folder: folder.path)
            #expect(try await store.jobs().totalCount == round)
            try await store.insertJob(.made("job-\(round)"))
            try await store.appendAudit(.made(round))
            store.close()
        }
        let store = try await StateStore(folder: folder.path)
        #expect(try await store.verifyAudit().entryCount == 3)
        #expect(try await store.verifyAudit().isWhole)
    }

    @Test func aSecondStoreIsToldWhoHasTheFolder() async throws {
        let first = try await StateStore(folder: folder.path)
        do {
            _ = try await StateStore(folder: folder.path)
            Issue.record("opened twice")
        } catch let error as StateError {
            #expect(error.code == .locked)
            #expect(error.message.contains("process \(getpid())"))
        }
        first.close()
        try await StateStore(folder: folder.path).close()
    }

    @Test func theLockGoesWithItsProcess() async throws {
        try await StateStore(folder: folder.path).close()
        let other = Process()
        other.executableURL = URL(filePath: "/bin/sh")
        let output = Pipe()
        other.standardOutput = output
        other.arguments = [
            "-c", "exec 9<>lock; flock 9; echo $$ >lock; echo held; exec sleep 60",
        ]
        other.currentDirectoryURL = URL(filePath: folder.path)
        try other.run()
        defer { other.waitUntilExit() }
        defer { kill(other.processIdentifier, SIGKILL) }
        #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
        do {
            _ = try await StateStore(folder: folder.path)
            Issue.record("opened twice")
        } catch let error as StateError {
            #expect(error.code == .locked)
            #expect(error.message.contains("process \(other.processIdentifier)"))
        }
        kill(other.processIdentifier, SIGKILL)
        other.waitUntilExit()
        try await StateStore(folder: folder.path).close()
    }

    /// A child has all of its parent's files until it becomes another program.
    @Test func aForkedChildDoesNotGoOnHoldingTheLock() async throws {
        let store = try await StateStore(folder: folder.path)
        let lock = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").first {
            var path = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/" + $0, &path, path.count)
            let bytes = path.prefix(max(count, 0)).map(UInt8.init(bitPattern:))
            return String(decoding: bytes, as: UTF8.self) == folder.path + "/lock"
        }
        let copy = dup(try #require(lock.flatMap(Int32.init)))
        defer { close(copy) }
        store.close()
        try await StateStore(folder: folder.path).close()
    }

    @Test func aClosedStoreSaysSo() async throws {
        let store = try await StateStore(folder: folder.path)
        store.close()
        store.close()
        #expect(await codeThrown { try await store.insertJob(.made("a")) } == .closed)
        #expect(await codeThrown { _ = try await store.job("a") } == .closed)
        #expect(await codeThrown { _ = try await store.verifyAudit() } == .closed)
    }

    @Test func changesAreOnStableStorage() async throws {
        let store = try await StateStore(folder: folder.path)
        let modes = try await store.write { database in
            [
                try String.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try String.fetchOne(database, sql: "PRAGMA foreign_keys"),
            ]
        }
        #expect(modes == ["2", "wal", "1"])
    }

    @Test func theEndOfACancelledJobIsWrittenDown() async throws {
        let store = try await StateStore(folder: folder.path)
        try await store.insertJob(.made("a"))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await store.updateJob("a", JobUpdate(status: .canceled), at: 2000)
        }
        try await task.value
        #expect(try await store.job("a")?.status == .canceled)
    }

    // MARK: Reading only

    @Test(arguments: [true, false])
    func aStoreForReadingLooksOnWithOrWithoutAWriter(hasWriter: Bool) async throws {
        let writer = try await StateStore(folder: folder.path)
        try await writer.appendAudit(.made(1))
        if !hasWriter { writer.close() }
        let reader = try await StateStore(folder: folder.path, isReadOnly: true)
        #expect(try await reader.verifyAudit().entryCount == 1)
        if hasWriter { try await writer.appendAudit(.made(2)) }
        #expect(try await reader.verifyAudit().entryCount == (hasWriter ? 2 : 1))
        #expect(try await reader.verifyAudit().isWhole)
        #expect(await codeThrown { try await reader.appendAudit(.made(3)) } == .readOnly)
    }

    @Test func aFolderWithoutStateIsNotMadeByReading() async throws {
        #expect(
            await codeThrown { _ = try await StateStore(folder: folder.path, isReadOnly: true) }
                == .notFound)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        try FileManager.default.createDirectory(
            atPath: folder.path, withIntermediateDirectories: true)
    }

    // MARK: Versions

    @Test func aDatabaseOfTheFirstMigrationIsBroughtUpToDate() async throws {
        try makeDatabase(upTo: "1-jobs")
        #expect(
            await codeThrown { _ = try await StateStore(folder: folder.path, isReadOnly: true) }
                == .olderSchema)
        for _ in 0..<2 {
            let store = try await StateStore(folder: folder.path)
            #expect(try await store.job("old")?.kind == "backup")
            #expect(try await store.job("old")?.role == nil)
            #expect(try await store.job("old")?.resumedBy == "new")
            #expect(try await store.job("new")?.resumedBy == nil)
            #expect(try await store.schedules() == [])
            #expect(try await store.verifyAudit().isWhole)
            store.close()
        }
    }

    @Test func aDatabaseOfANewerVersionIsRefused() async throws {
        try await StateStore(folder: folder.path).close()
        try folder.withDatabase { database in
            try database.execute(
                sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99-from-the-future')")
        }
        for isReadOnly in [false, true] {
            #expect(
                await codeThrown {
                    _ = try await StateStore(folder: folder.path, isReadOnly: isReadOnly)
                } == .newerSchema)
        }
    }

    @Test func whatIsNoDatabaseIsRefused() async throws {
        try FileManager.default.createDirectory(
            atPath: folder.path, withIntermediateDirectories: true)
        try Data(repeating: 7, count: 8192)
            .write(to: URL(filePath: folder.path + "/state.sqlite"))
        #expect(await codeThrown { _ = try await StateStore(folder: folder.path) } == .damaged)
    }

    private func makeDatabase(upTo migration: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path, withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: folder.path + "/state.sqlite")
        try StateSchema.migrator.migrate(queue, upTo: migration)
        try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO jobs (id, kind, status, created_by, created_at, request,
                    is_resumable, resumes) VALUES
                    ('old', 'backup', 'PENDING', 'ann', 1, '{}', 0, NULL),
                    ('new', 'backup', 'PENDING', 'ann', 2, '{}', 0, 'old')
                    """)
        }
        try queue.close()
    }
}
