import Testing

/// That the folders within a target do not point at each other in circles: by the types and
/// functions that their files declare at the top level, and the names that they use. Files that are
/// in the target's own folder may use all folders and be used by them.
@Suite struct FolderLayerTests {
    /// A file within a folder of a target.
    struct SourceFile {
        let name: String
        let folder: String
        let source: SwiftSource
    }

    @Test func noFoldersPointAtEachOtherInCircles() {
        let repository = Repository()
        for target in repository.folders(in: "Sources").sorted() {
            let prefix = "Sources/\(target)/"
            let files = repository.files(in: [prefix]).compactMap { file -> SourceFile? in
                let parts = file.path.dropFirst(prefix.count).split(separator: "/")
                guard parts.count > 1, file.path.hasSuffix(".swift") else { return nil }
                return SourceFile(
                    name: String(parts[parts.count - 1]), folder: String(parts[0]),
                    source: SwiftSource(file.text))
            }
            #expect(Self.circle(files) == nil, "\(target)")
        }
    }

    @Test func aCircleIsFound() {
        func file(_ folder: String, _ text: String) -> SourceFile {
            SourceFile(name: "\(folder).swift", folder: folder, source: SwiftSource(text))
        }
        let low = file("Low", "struct Stone { enum Kind {} }\nprivate enum Hidden {}")
        let middle = file("Middle", "func pile(_ stone: Stone) {}")
        let high = file("High", "/// Uses `Nothing`.\nlet x = pile(Stone()), kind: Kind")
        #expect(Self.circle([low, middle, high]) == nil)
        let extended = file("Low", "extension Stone { func all() { pile(self) } }")
        #expect(
            Self.circle([low, middle, high, extended])
                == "Low -> Middle (Low.swift uses pile), Middle -> Low (Middle.swift uses Stone)")
        #expect(Self.circle([low, middle, high, file("Low", "struct Kind: Hidden {}")]) == nil)
    }

    // MARK: Reading

    /// A circle of folders, each with an example of why it points at the next; nil for none.
    private static func circle(_ files: [SourceFile]) -> String? {
        var owners: [String: String] = [:]
        for file in files {
            for name in declarations(file.source) { owners[name] = file.folder }
        }
        var reasons: [String: [String: String]] = [:]
        for file in files {
            for token in file.source.tokens where token.kind == .word {
                guard let owner = owners[token.text], owner != file.folder,
                    reasons[file.folder]?[owner] == nil
                else { continue }
                reasons[file.folder, default: [:]][owner] = "\(file.name) uses \(token.text)"
            }
        }
        for folder in reasons.keys.sorted() {
            guard let path = path(from: folder, to: folder, reasons) else { continue }
            return zip(path, path.dropFirst()).map { from, to in
                "\(from) -> \(to) (\(reasons[from]?[to] ?? ""))"
            }.joined(separator: ", ")
        }
        return nil
    }

    /// The shortest way over at least one edge.
    private static func path(
        from start: String, to end: String, _ edges: [String: [String: String]]
    ) -> [String]? {
        var paths = [[start]]
        var seen: Set<String> = []
        while !paths.isEmpty {
            var longer: [[String]] = []
            for path in paths {
                for next in edges[path[path.count - 1]]?.keys.sorted() ?? [] {
                    if next == end { return path + [next] }
                    if seen.insert(next).inserted { longer.append(path + [next]) }
                }
            }
            paths = longer
        }
        return nil
    }

    /// Names of the types and functions that a file declares at the top level and that other files
    /// can use.
    private static func declarations(_ source: SwiftSource) -> Set<String> {
        let kinds: Set = ["struct", "class", "enum", "protocol", "actor", "typealias", "func"]
        var names: Set<String> = []
        var depth = 0
        var isHidden = false
        for (token, next) in zip(source.tokens, source.tokens.dropFirst()) {
            switch token.text {
            case "{" where token.kind == .punctuation: depth += 1
            case "}" where token.kind == .punctuation:
                depth -= 1
                isHidden = false
            case "private", "fileprivate": isHidden = true
            case let kind where depth == 0 && kinds.contains(kind) && next.kind == .word:
                if !isHidden { names.insert(next.text) }
                isHidden = false
            default: continue
            }
        }
        return names
    }
}
