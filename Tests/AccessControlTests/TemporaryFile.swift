import Foundation

/// A file that is there as long as the value is held.
final class TemporaryFile: Sendable {
    let path: String

    init(_ text: String) throws {
        let folder = FileManager.default.temporaryDirectory
        path = folder.appending(path: "cairn-access-\(UUID().uuidString)").path
        try write(text)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { /* a test removed it */  }
    }

    /// Puts another file in its place, at once.
    func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    func remove() throws {
        try FileManager.default.removeItem(atPath: path)
    }
}
