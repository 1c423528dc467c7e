import Foundation

/// The files of this repository, wherever it was cloned to.
struct Repository {
    /// The folder that has `Package.swift`.
    let root: URL

    init(root: URL = URL(filePath: #filePath).appending(path: "../../..").standardized) {
        self.root = root
    }

    /// A text file and its path within the repository.
    struct File: Sendable {
        let path: String
        let text: String

        /// The lines, without a last empty one.
        var lines: [Substring] {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.last?.isEmpty == true ? lines.dropLast() : lines
        }

        /// The folder below `Sources`, `Development`, `Tests` or `Benchmarks`: the target's name.
        var target: String? {
            let parts = path.split(separator: "/")
            return parts.count > 2 ? String(parts[1]) : nil
        }
    }

    /// The text of one file, or nil when there is none.
    func text(_ path: String) -> String? {
        try? String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The text files below some folders, hidden ones left out; sorted by path. A folder that does
    /// not exist has none.
    func files(in folders: [String]) -> [File] {
        folders.flatMap { folder in
            let names = FileManager.default.enumerator(
                at: root.appending(path: folder), includingPropertiesForKeys: nil,
                options: .skipsHiddenFiles)
            let paths = (names?.allObjects as? [URL] ?? []).map(\.standardized.path)
            return paths.sorted().compactMap(file)
        }
    }

    /// All files that belong to the project: everything at the top level, hidden or not, and below
    /// its folders; but nothing that git ignores.
    func everyFile() throws -> [File] {
        let entries = try FileManager.default.contentsOfDirectory(atPath: root.path)
        let ignored: Set = [".git", ".tools", "Package.resolved"]
        let kept = entries.filter { !ignored.contains($0) && !$0.hasPrefix(".build") }
        let loose = kept.sorted().compactMap { file(root.appending(path: $0).path) }
        return loose + files(in: kept.sorted())
    }

    /// The folders directly below one that hold any file.
    func folders(in folder: String) -> Set<String> {
        let root = root.appending(path: folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return Set(
            names.filter { name in
                let inside = FileManager.default.enumerator(
                    at: root.appending(path: name), includingPropertiesForKeys: nil)
                return inside?.nextObject() != nil
            })
    }

    private func file(_ path: String) -> File? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return File(path: String(path.dropFirst(root.path.count + 1)), text: text)
    }
}
