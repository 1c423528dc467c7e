import Foundation

@testable import ObjectStorage

/// A folder of its own for one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cairn-storage-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("left: \(path)") }
    }

    /// Names of all files, hidden ones too.
    func fileNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    func makeFile(_ name: String, _ bytes: [UInt8] = []) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }
}

/// The code of the storage error that `body` throws; nil when it throws none or another one.
func codeThrown(_ body: () async throws -> Void) async -> ObjectStorageError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ObjectStorageError)?.code
    }
}

extension ObjectStore {
    /// Uploads one run of bytes.
    func put(_ key: String, _ bytes: [UInt8]) async throws {
        try await withUpload(key: key) { try await $0.write(bytes) }
    }

    /// A whole object.
    func get(_ key: String) async throws -> [UInt8] {
        let reader = try await openReader(key: key)
        return try await reader.read(at: 0, count: Int(reader.byteCount))
    }
}
