import BSONBytes
import Foundation
import Glibc
import ObjectStorage
import SampleData
import Snapshots
import Testing

/// Repositories that cannot be written.
@Suite(.needsServer, .enabled(if: SmallDisk.isAvailable, "needs root, to mount a small disk"))
struct StorageFailureTests {
    @Test func aFullDiskIsAnErrorAndLeavesNothing() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(
            (0..<4).map { EveryTypeDocuments.document(ofByteCount: 500_000 + $0) }, "c")
        let disk = try SmallDisk()
        let store = try await FileSystemStore(folder: disk.path, create: false)
        let error = await #expect(throws: ObjectStorageError.self) {
            try await fixture.backup(to: store)
        }
        #expect(error?.code == .noSpace)
        #expect(error?.description.contains(disk.path) == true)
        #expect(error?.hint?.isEmpty == false)
        #expect(try disk.contents == [])
        try await fixture.drop()
    }

    @Test func aReadOnlyRepositoryIsAnError() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1)], "c")
        let disk = try SmallDisk()
        let store = try await FileSystemStore(folder: disk.path, create: false)
        try disk.makeReadOnly()
        let error = await #expect(throws: ObjectStorageError.self) {
            try await fixture.backup(to: store)
        }
        #expect(error?.code == .notWritable)
        #expect(error?.description.contains(disk.path) == true)
        #expect(try disk.contents == [])
        try await fixture.drop()
    }
}

/// The same where no root is needed.
@Suite(.needsServer) struct PipeFailureTests {
    @Test func aPipeIntoAFullDiskIsAnError() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1)], "c")
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        let pipe = PipeUpload(descriptor: descriptor, name: "standard output")
        var options = Backup.Options(width: 1)
        options.filter = NamespaceFilter(database: fixture.database)
        let backup = Backup(
            fixture.pool, to: .pipe(pipe), options: options,
            environment: fixture.environment, observer: RecordingObserver())
        let error = await #expect(throws: ObjectStorageError.self) { try await backup.run() }
        #expect(error?.code == .noSpace)
        #expect(error?.description.contains("standard output") == true)
        try await fixture.drop()
    }
}

/// A file system of one megabyte in memory, gone with this object.
private final class SmallDisk {
    static let isAvailable: Bool = {
        do {
            _ = try SmallDisk()
            return true
        } catch {
            return false
        }
    }()

    let path: String
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }

    var contents: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path) }
    }

    func makeReadOnly() throws {
        let flags = UInt(MS_REMOUNT | MS_RDONLY)
        guard mount("tmpfs", path, "tmpfs", flags, nil) == 0 else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }
}
