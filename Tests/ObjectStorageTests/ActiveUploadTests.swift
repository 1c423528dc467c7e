import Foundation
import Testing

@testable import ObjectStorage

/// A process knows which files it is writing, whatever others of its uploads do meanwhile.
@Suite struct ActiveUploadTests {
    private let folder: TemporaryFolder
    private let store: FileSystemStore

    init() async throws {
        folder = try TemporaryFolder()
        store = try await FileSystemStore(folder: folder.path, create: false)
    }

    private func identity(_ name: String) throws -> ActiveUploads.File {
        var status = stat()
        try #require(lstat(folder.path + "/" + name, &status) == 0)
        return ActiveUploads.File(status)
    }

    /// The number of a removed file goes to the next one, while the upload that wrote the removed
    /// one has not been released yet.
    @Test func aFileWithTheNumberOfAnEndedUploadsIsStillBeingWritten() async throws {
        try await store.withUpload(key: "a") { upload in
            try await upload.write([1])
            let name = try #require(try folder.fileNames().first)
            let file = try identity(name)
            // What an ended upload does that had the same number.
            ActiveUploads.insert(file)
            ActiveUploads.remove(file)
            #expect(ActiveUploads.contains(file))
            #expect(await codeThrown { try await store.put("a", [2]) } == .alreadyExists)
            #expect(try await store.removeStalePartials() == [])
            #expect(try folder.fileNames() == [name])
        }
        #expect(try await store.get("a") == [1])
        #expect(try folder.fileNames() == ["a"])
    }

    /// The same with a file system that gives numbers anew; on others it shows nothing.
    @Test func numbersThatAreGivenAnewConfuseNobody() async throws {
        for round in 0..<200 {
            let ended = FileUpload(
                folder: folder.path, temporaryName: ".x.partial-\(OwnerToken.current)", key: "x")
            try await ended.begin()
            await ended.discard()
            try await store.withUpload(key: "a\(round)") { upload in
                try await upload.write([1])
                await ended.discard()
                #expect(try await store.removeStalePartials() == [])
                let code = await codeThrown { try await store.put("a\(round)", [2]) }
                #expect(code == .alreadyExists)
            }
            try await store.delete(key: "a\(round)")
        }
    }

    @Test func aLeftoverIsRemovedOnceAndALiveFileNever() async throws {
        let made = try ActiveUploads.create(folder.path + "/live", flags: O_WRONLY)
        try folder.makeFile("left")
        #expect(try !ActiveUploads.removeLeftover(folder.path + "/live"))
        #expect(try ActiveUploads.removeLeftover(folder.path + "/left"))
        #expect(try !ActiveUploads.removeLeftover(folder.path + "/left"))
        ActiveUploads.remove(made.identity)
        #expect(try ActiveUploads.removeLeftover(folder.path + "/live"))
    }

    /// Uploads, marks and clean-ups of one process at once, in folders of one file system: every
    /// upload succeeds, and none is cleaned away.
    @Test func uploadsMarksAndCleanUpsAtOnceLeaveEachOtherAlone() async throws {
        let kind = MarkKind(suffix: ".seen", isDurable: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<6 {
                group.addTask { [folder] in
                    let own = try await FileSystemStore(folder: folder.path, create: false)
                    for round in 0..<60 {
                        let key = "w\(worker)-\(round)"
                        try await own.withUpload(
                            key: key, note: [7], keepsUnfinished: { _ in false }
                        ) { upload in
                            try await upload.write([UInt8(worker)])
                            try await own.writeMark([1], "m\(worker)", kind)
                            let code = await codeThrown { try await own.put(key, [9]) }
                            #expect(code == .alreadyExists)
                            try await own.removeMark("m\(worker)", kind)
                        }
                        #expect(try await own.get(key) == [UInt8(worker)])
                        try await own.delete(key: key)
                    }
                }
            }
            for _ in 0..<2 {
                group.addTask { [folder] in
                    let own = try await FileSystemStore(folder: folder.path, create: false)
                    for _ in 0..<200 { #expect(try await own.removeStalePartials() == []) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.fileNames() == [])
    }

    /// Several that clean up after a dead process at once: each leftover is reported by one.
    @Test func leftoversAreRemovedByWhoeverComesFirst() async throws {
        let dead = "\(OwnerToken.current.description.prefix(8))-\(getpid())-00000000"
        let names = (0..<200).map { ".k\($0).partial-\(dead)" }
        for name in names { try folder.makeFile(name) }
        let removed = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask { [folder] in
                    try await FileSystemStore(folder: folder.path, create: false)
                        .removeStalePartials()
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(removed.sorted() == names.sorted())
    }

    /// One upload of this process at a time has a key, also where an ended one has left its file
    /// and another has cleaned up since.
    @Test func aKeyIsUploadedOnceAtATimeBesideALeftover() async throws {
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await store.withUpload(key: "a", note: [1], keepsUnfinished: { _ in true }) { _ in
                throw Stop()
            }
        }
        #expect(try folder.fileNames().count == 2)
        try await store.withUpload(key: "a", note: [2], keepsUnfinished: { _ in false }) { upload in
            #expect(try await store.removeStalePartials().count == 1)
            #expect(await codeThrown { try await store.put("a", [2]) } == .alreadyExists)
            try await upload.write([1])
        }
        #expect(try await store.get("a") == [1])
        #expect(try folder.fileNames() == ["a"])
    }

    /// A note alone, whose upload was removed, is in nobody's way.
    @Test func aNoteThatWasLeftIsInNobodysWay() async throws {
        try folder.makeFile(ObjectNaming.noteName(key: "a", owner: .current))
        try await store.withUpload(key: "a", note: [2], keepsUnfinished: { _ in false }) { upload in
            try await upload.write([1])
        }
        #expect(try await store.get("a") == [1])
        #expect(try await store.removeStalePartials() == [])
        #expect(try folder.fileNames() == ["a"])
    }
}
