import Foundation
import Testing

@testable import ObjectStorage

@Suite struct FileSystemStoreTests {
    @Test func foldersAreMadeOnlyWhenAskedFor() async throws {
        let folder = try TemporaryFolder()
        let nested = folder.path + "/a/b"
        let refused = await codeThrown {
            _ = try await FileSystemStore(folder: nested, create: false)
        }
        #expect(refused == .notFound)
        #expect(try folder.fileNames().isEmpty)
        try await FileSystemStore(folder: nested, create: true).put("x", [1])
        try await FileSystemStore(folder: nested + "/", create: true).put("y", [1])
        #expect(try await FileSystemStore(folder: nested, create: false).list().count == 2)
    }

    @Test func aFolderUnderAFileIsRefused() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFile("file")
        for path in ["/file", "/file/x"] {
            for create in [true, false] {
                let code = await codeThrown {
                    _ = try await FileSystemStore(folder: folder.path + path, create: create)
                }
                #expect(code == .notFound)
            }
        }
    }

    @Test func hiddenFilesAndFoldersAreNoObjects() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFile(".hidden")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/sub", withIntermediateDirectories: false)
        let store = try await FileSystemStore(folder: folder.path, create: false)
        #expect(try await store.list().isEmpty)
        #expect(await codeThrown { _ = try await store.openReader(key: "sub") } == .notReadable)
        #expect(await codeThrown { try await store.put(".hidden2", []) } == .invalidKey)
    }

    @Test func aFileAnywhereIsAFolderAndAKey() async throws {
        let folder = try TemporaryFolder()
        let longest = String(repeating: "ä", count: 127) + "x"
        for name in ["a", ".hidden", "a b", longest] {
            let (store, key) = try await FileSystemStore.splitting(folder.path + "/" + name)
            #expect(key == name)
            try await store.put(key, [7])
            #expect(try await store.get(key) == [7])
        }
        #expect(try folder.fileNames().count == 4)
        #expect(try await FileSystemStore.splitting("x.archive").key == "x.archive")
        #expect(try await FileSystemStore.splitting("/x").key == "x")
        for path in ["", "/", "a/", "a/..", "."] {
            let code = await codeThrown { _ = try await FileSystemStore.splitting(path) }
            #expect(code == .invalidKey)
        }
    }

    @Test func aFileThatWasCutMeanwhileIsAnError() async throws {
        let folder = try TemporaryFolder()
        let store = try await FileSystemStore(folder: folder.path, create: false)
        try await store.put("a", [1, 2, 3])
        let reader = try await store.openReader(key: "a")
        truncate(folder.path + "/a", 1)
        #expect(await codeThrown { _ = try await reader.read(at: 0, count: 3) } == .truncated)
        #expect(try await reader.read(at: 0, count: 1) == [1])
    }

    @Test func anUploadThatSomebodyElseChangedIsNotPublished() async throws {
        let folder = try TemporaryFolder()
        let store = try await FileSystemStore(folder: folder.path, create: false)
        let code = await codeThrown {
            try await store.withUpload(key: "a") { upload in
                try await upload.write([1, 2, 3])
                let name = try #require(try folder.fileNames().first)
                truncate(folder.path + "/" + name, 1)
            }
        }
        #expect(code == .io)
        #expect(try folder.fileNames().isEmpty)
    }

    @Test func aFullDiskFailsTheUploadForGood() async throws {
        let folder = try TemporaryFolder()
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else {
            print("SKIPPED: a full disk needs the right to mount a tmpfs")
            return
        }
        defer { umount2(folder.path, 0) }
        let store = try await FileSystemStore(folder: folder.path, create: false)
        let code = await codeThrown {
            try await store.withUpload(key: "a") { upload in
                let first = await codeThrown {
                    try await upload.write([UInt8](repeating: 1, count: 100_000))
                }
                #expect(first == .noSpace)
                #expect(await codeThrown { try await upload.write([1]) } == .noSpace)
                #expect(await codeThrown { _ = try await upload.reader() } == .noSpace)
                // The error is swallowed here, and still nothing is published.
            }
        }
        #expect(code == .noSpace)
        #expect(try folder.fileNames().isEmpty)
    }

    @Test func aReadOnlyFolderIsRefusedWithAHint() async throws {
        let folder = try TemporaryFolder()
        guard mount("tmpfs", folder.path, "tmpfs", UInt(MS_RDONLY), "size=64k") == 0 else {
            print("SKIPPED: a read-only folder needs the right to mount a tmpfs")
            return
        }
        defer { umount2(folder.path, 0) }
        let store = try await FileSystemStore(folder: folder.path, create: true)
        do {
            try await store.put("a", [1])
            Issue.record("written to a read-only file system")
        } catch let error as ObjectStorageError {
            #expect(error.code == .notWritable)
            #expect(error.systemError == EROFS)
            #expect(error.description.hasSuffix("(the file system is read-only)"))
        }
        let nested = await codeThrown {
            _ = try await FileSystemStore(folder: folder.path + "/sub", create: true)
        }
        #expect(nested == .notWritable)
    }
}
