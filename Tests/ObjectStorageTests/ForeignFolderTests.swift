import Foundation
import ObjectStorage
import Testing

/// Folders that other programs wrote.
@Suite struct ForeignFolderTests {
    private let folder = try? TemporaryFolder()

    private func path() throws -> String { try #require(folder).path }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: try path() + "/" + name))
    }

    @Test func entriesTellWhatTheyAre() async throws {
        let path = try path()
        try write([1, 2, 3], "file")
        try FileManager.default.createDirectory(
            atPath: path + "/sub", withIntermediateDirectories: true)
        try write([1], "sub/inner")
        #expect(mkfifo(path + "/pipe", 0o600) == 0)
        for (name, target) in [
            ("to-file", "file"), ("to-sub", "sub"), ("to-self", "."), ("to-above", ".."),
            ("to-nothing", "nothing"), ("to-itself", "to-itself"), ("to-pipe", "pipe"),
        ] {
            try FileManager.default.createSymbolicLink(
                atPath: path + "/" + name, withDestinationPath: target)
        }
        let entries = try await ForeignFolder(path).entries()
        #expect(entries.map(\.name) == entries.map(\.name).sorted())
        func kind(_ name: String) -> ForeignFolder.Entry.Kind? {
            entries.first { $0.name == name }?.kind
        }
        #expect(kind("file") == .file && kind("to-file") == .file)
        #expect(kind("sub") == .folder && kind("to-sub") == .folder)
        #expect(kind("to-self") == .loop && kind("to-above") == .loop)
        for name in ["pipe", "to-pipe", "to-nothing", "to-itself"] {
            guard case .unusable(let reason)? = kind(name) else {
                Issue.record("\(name) is \(String(describing: kind(name)))")
                continue
            }
            #expect(!reason.isEmpty)
        }
        #expect(entries.first { $0.name == "file" }?.byteCount == 3)
        let inner = try await ForeignFolder(path).entries(of: ["to-sub"])
        #expect(inner.map(\.name) == ["inner"])
    }

    @Test func aFileThatIsWrittenToWhileItIsReadIsAnError() async throws {
        let path = try path()
        try write([UInt8](repeating: 7, count: 100), "grows")
        let reader = try await ForeignFolder(path).openReader(["grows"])
        #expect(try await reader.read(at: 0, count: 100).count == 100)
        let handle = try FileHandle(forWritingTo: URL(filePath: path + "/grows"))
        try handle.seekToEnd()
        try handle.write(contentsOf: [8])
        try handle.close()
        let error = await #expect(throws: ObjectStorageError.self) {
            _ = try await reader.read(at: 0, count: 100)
        }
        #expect(error?.code == .changed)
        #expect(error?.description.contains("grows") ?? false)
    }

    @Test func whatIsNotThereIsNothing() async throws {
        let path = try path()
        #expect(try await ForeignFolder.kind(of: path + "/nothing") == nil)
        #expect(try await ForeignFolder.kind(of: path) == .folder)
        let last = try #require(path.split(separator: "/").last)
        for way in [path, path + "/", path + "/.", path + "/x/.."] {
            try FileManager.default.createDirectory(
                atPath: path + "/x", withIntermediateDirectories: true)
            #expect(try await ForeignFolder.name(of: way) == last)
        }
        #expect(try await ForeignFolder.name(of: "/") == "")
        await #expect(throws: ObjectStorageError.self) {
            _ = try await ForeignFolder(path + "/nothing").entries()
        }
        await #expect(throws: ObjectStorageError.self) {
            _ = try await ForeignFolder(path).openReader(["nothing"])
        }
    }

    /// Names are bytes; those that are not UTF-8 are told and can't be read.
    @Test func namesThatAreNotUTF8AreTold() async throws {
        let path = try path()
        let bytes = Array((path + "/a").utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
        let descriptor = open(bytes, O_CREAT | O_WRONLY, 0o600)
        #expect(descriptor >= 0)
        close(descriptor)
        let entries = try await ForeignFolder(path).entries()
        #expect(entries.count == 1)
        guard case .unusable? = entries.first?.kind else {
            Issue.record("\(entries)")
            return
        }
    }
}
