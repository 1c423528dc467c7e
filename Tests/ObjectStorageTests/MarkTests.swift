import Foundation
import Testing

@testable import ObjectStorage

/// Small hidden files beside the objects.
@Suite struct MarkTests {
    private let folder: TemporaryFolder
    private let store: FileSystemStore
    private let kind = MarkKind(suffix: ".seen", isDurable: true)
    private let other = MarkKind(suffix: ".lock", isDurable: false)

    init() async throws {
        folder = try TemporaryFolder()
        store = try await FileSystemStore(folder: folder.path, create: true)
    }

    @Test func areWrittenReplacedReadListedAndRemoved() async throws {
        #expect(try await store.readMark("a", kind) == nil)
        try await store.writeMark([1, 2], "b", kind)
        try await store.writeMark([1], "a", kind)
        try await store.writeMark([9], "a", other)
        try await store.writeMark([3, 4, 5], "a", kind)
        #expect(try await store.readMark("a", kind) == [3, 4, 5])
        #expect(try await store.readMark("a", other) == [9])
        #expect(try await store.marks(kind).map(\.key) == ["a", "b"])
        #expect(try await store.marks(kind).map(\.byteCount) == [3, 2])
        // They are no objects, and nothing else is left of writing them.
        #expect(try await store.list() == [])
        #expect(try folder.fileNames() == [".a.lock", ".a.seen", ".b.seen"])
        try await store.removeMark("a", kind)
        try await store.removeMark("a", kind)
        #expect(try await store.marks(kind).map(\.key) == ["b"])
    }

    @Test func canBeAppendedToAndTouched() async throws {
        #expect(await codeThrown { try await store.touchMark("a", other) } == .notFound)
        #expect(await codeThrown { try await store.appendToMark([1], "a", other) } == .notFound)
        try await store.writeMark([1], "a", other)
        try await store.appendToMark([2], "a", other)
        #expect(try await store.readMark("a", other) == [1, 2])
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 5)],
            ofItemAtPath: folder.path + "/.a.lock")
        #expect(try await store.marks(other).first?.modifiedAtSeconds == 5)
        try await store.touchMark("a", other)
        #expect(try #require(try await store.marks(other).first).modifiedAtSeconds > 1_000_000)
    }

    /// While one is written its temporary file is nobody's leftover; one of a dead process is.
    @Test func whatADeadProcessHasLeftIsRemoved() async throws {
        let dead = "\(OwnerToken.current.description.prefix(8))-\(getpid())-00000000"
        try folder.makeFile(".a.seen.7.partial-\(dead)", [1])
        try await store.writeMark([1], "a", kind)
        _ = try await store.removeStalePartials()
        #expect(try folder.fileNames() == [".a.seen"])
    }

    @Test func aReaderSeesOneOrTheOther() async throws {
        try await store.writeMark([UInt8](repeating: 0, count: 5000), "a", other)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for value in UInt8(1)...4 {
                group.addTask { [folder, other] in
                    let store = try await FileSystemStore(folder: folder.path, create: false)
                    for _ in 0..<20 {
                        try await store.writeMark(
                            [UInt8](repeating: value, count: 5000), "a", other)
                        let bytes = try #require(try await store.readMark("a", other))
                        #expect(bytes.count == 5000 && Set(bytes).count == 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.fileNames() == [".a.lock"])
    }

    @Test(arguments: ["", "a/b", ".hidden", String(repeating: "x", count: 201)])
    func namesAreChecked(_ name: String) async {
        #expect(await codeThrown { try await store.writeMark([1], name, kind) } == .invalidKey)
        #expect(await codeThrown { _ = try await store.readMark(name, kind) } == .invalidKey)
    }

    @Test func whatIsTooLongIsNotRead() async throws {
        try folder.makeFile(".a.seen", [UInt8](repeating: 1, count: MarkKind.byteCountMax + 1))
        #expect(await codeThrown { _ = try await store.readMark("a", kind) } == .io)
    }

    @Test func anotherFileOfTheSameNameIsAnotherVersion() async throws {
        try await store.put("a", [1])
        let before = try await store.list()
        #expect(try await store.list() == before)
        try await store.delete(key: "a")
        try await store.put("a", [2])
        #expect(try await store.list() != before)
    }

    @Test func theFileSystemHasAStatedSize() async throws {
        let space = try #require(try await store.space())
        #expect(space.totalByteCount > 0 && space.freeByteCount <= space.totalByteCount)
    }
}
