import Foundation
import ObjectStorage
import Testing

/// What every object store has to do, whatever is behind it.
@Suite struct ConformanceTests {
    /// Makes an empty store; the folder lives as long as the value is held.
    enum Adapter: CaseIterable, Sendable {
        case repositoryFolder
        case anyFolder

        func make() async throws -> (store: any ObjectStore, folder: TemporaryFolder) {
            let folder = try TemporaryFolder()
            switch self {
            case .repositoryFolder:
                return (try await FileSystemStore(folder: folder.path, create: false), folder)
            case .anyFolder:
                return (try await FileSystemStore.splitting(folder.path + "/x").store, folder)
            }
        }
    }

    private struct Stop: Error {}

    @Test(arguments: Adapter.allCases)
    func whatIsWrittenIsRead(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let count = try await store.withUpload(key: "a.bin") { upload in
            try await upload.write(Array(bytes[..<7]))
            try await upload.write([])
            try await upload.write(Array(bytes[7...]))
            return await upload.byteCount
        }
        #expect(count == 100_000)
        try await store.put("empty", [])
        #expect(try await store.get("a.bin") == bytes)
        #expect(try await store.get("empty") == [])
        let reader = try await store.openReader(key: "a.bin")
        #expect(try await reader.read(at: 99_990, count: 10) == Array(bytes[99_990...]))
        #expect(try await reader.read(at: 100_000, count: 0) == [])
        let listed = try await store.list()
        #expect(listed.map(\.key) == ["a.bin", "empty"])
        #expect(listed.map(\.byteCount) == [100_000, 0])
        let age = Int64(Date().timeIntervalSince1970) - listed[0].modifiedAtSeconds
        #expect((-2...60).contains(age))
    }

    @Test(arguments: Adapter.allCases)
    func anObjectIsInvisibleUntilItIsWhole(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        try await store.withUpload(key: "a") { upload in
            try await upload.write([1, 2, 3])
            #expect(try await store.list().isEmpty)
            #expect(await codeThrown { _ = try await store.openReader(key: "a") } == .notFound)
        }
        #expect(try await store.list().map(\.key) == ["a"])
        #expect(try folder.fileNames() == ["a"])
    }

    @Test(arguments: Adapter.allCases)
    func anUploadCanBeReadBeforeItIsPublished(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        try await store.withUpload(key: "a") { upload in
            try await upload.write([1, 2, 3])
            let reader = try await upload.reader()
            #expect(reader.byteCount == 3)
            #expect(try await reader.read(at: 1, count: 2) == [2, 3])
            try await upload.write([4])
            #expect(try await upload.reader().byteCount == 4)
        }
        #expect(try await store.get("a") == [1, 2, 3, 4])
    }

    @Test(arguments: Adapter.allCases)
    func anUploadThatThrowsLeavesNothing(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        await #expect(throws: Stop.self) {
            try await store.withUpload(key: "a") { upload in
                try await upload.write([1])
                throw Stop()
            }
        }
        #expect(try folder.fileNames().isEmpty)
    }

    @Test(arguments: Adapter.allCases)
    func aCancelledUploadLeavesNothing(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        for isPatient in [true, false] {
            let (started, start) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await store.withUpload(key: "a") { upload in
                    try await upload.write([1])
                    start.finish()
                    if isPatient { try await Task.sleep(for: .seconds(60)) }
                    while !Task.isCancelled { await Task.yield() }
                }
            }
            for await _ in started {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try folder.fileNames().isEmpty)
        }
    }

    @Test(arguments: Adapter.allCases)
    func anExistingObjectIsNeverReplaced(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        try await store.put("a", [1])
        #expect(await codeThrown { try await store.put("a", [2]) } == .alreadyExists)
        // Also when it appears while the upload runs.
        let code = await codeThrown {
            try await store.withUpload(key: "b") { upload in
                try await upload.write([2])
                try folder.makeFile("b", [1])
            }
        }
        #expect(code == .alreadyExists)
        #expect(try await store.get("a") == [1])
        #expect(try await store.get("b") == [1])
        #expect(try folder.fileNames() == ["a", "b"])
    }

    @Test(arguments: Adapter.allCases)
    func aKeyIsUploadedOnceAtATime(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        try await store.withUpload(key: "a") { upload in
            #expect(await codeThrown { try await store.put("a", [2]) } == .alreadyExists)
            try await upload.write([1])
        }
        #expect(try await store.get("a") == [1])
    }

    @Test(arguments: Adapter.allCases)
    func readingBeyondTheEndIsAnError(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        try await store.put("a", [1, 2, 3])
        let reader = try await store.openReader(key: "a")
        for (offset, count) in [(0, 4), (3, 1), (4, 0), (UInt64.max, 1)] as [(UInt64, Int)] {
            let code = await codeThrown { _ = try await reader.read(at: offset, count: count) }
            #expect(code == .truncated)
        }
    }

    @Test(arguments: Adapter.allCases)
    func aFinishedUploadTakesNothing(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        let upload = try await store.withUpload(key: "a") { $0 }
        #expect(await codeThrown { try await upload.write([1]) } == .closed)
        #expect(await codeThrown { _ = try await upload.reader() } == .closed)
        #expect(try await store.get("a") == [])
    }

    @Test(arguments: Adapter.allCases)
    func aDeletedObjectIsGone(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        defer { withExtendedLifetime(folder) {} }
        try await store.put("a", [1])
        try await store.delete(key: "a")
        #expect(try await store.list().isEmpty)
        #expect(await codeThrown { try await store.delete(key: "a") } == .notFound)
        #expect(await codeThrown { _ = try await store.openReader(key: "a") } == .notFound)
    }

    @Test(arguments: Adapter.allCases)
    func aKeyThatIsNoFileNameIsRefused(_ adapter: Adapter) async throws {
        let (store, folder) = try await adapter.make()
        let keys = ["", ".", "..", "a/b", "../a", "a\u{0}b", String(repeating: "a", count: 256)]
        for key in keys {
            #expect(await codeThrown { try await store.put(key, [1]) } == .invalidKey)
            #expect(await codeThrown { _ = try await store.openReader(key: key) } == .invalidKey)
            #expect(await codeThrown { try await store.delete(key: key) } == .invalidKey)
        }
        #expect(try folder.fileNames().isEmpty)
    }
}
