import Testing

/// That targets depend on each other as `Package.swift` and the table in `docs/internals.md` say.
/// The micro-benchmarks are a package of their own; its manifest says the same for its one folder.
@Suite struct LayerTests {
    /// What has a folder for each target: the product, and what only development needs.
    private static let folders = ["Sources", "Development"]
    private static let microFolder = "Benchmarks/Micro/"

    private let repository = Repository()
    private let manifest: PackageManifest
    private let microManifest: PackageManifest
    private let table: TargetTable
    private let swiftFiles: [Repository.File]

    init() throws {
        manifest = PackageManifest(try #require(repository.text("Package.swift")))
        microManifest = PackageManifest(
            try #require(repository.text(Self.microFolder + "Package.swift")))
        table = TargetTable(
            try #require(repository.text("docs/internals.md"), "docs/internals.md is missing"))
        swiftFiles = repository.files(in: Self.folders + ["Tests", "Benchmarks"])
            .filter { $0.path.hasSuffix(".swift") && $0.path != Self.microFolder + "Package.swift" }
    }

    /// The targets of both packages.
    private var targets: [PackageManifest.Target] { manifest.targets + microManifest.targets }

    /// The target that a file belongs to; nil when its package's manifest has none of that name.
    private func target(of file: Repository.File) -> PackageManifest.Target? {
        let owner = file.path.hasPrefix(Self.microFolder) ? microManifest : manifest
        return file.target.flatMap(owner.target)
    }

    /// Part of the toolchain, not of any package.
    private static let toolchain: Set = [
        "Swift", "Foundation", "FoundationEssentials", "FoundationNetworking", "Dispatch",
        "Synchronization", "Glibc", "Musl", "Testing", "XCTest", "PackageDescription",
        "RegexBuilder",
    ]

    @Test func everyTargetIsInTheManifestAndTheTable() {
        let folders = Set(Self.folders.flatMap { repository.folders(in: $0) })
        #expect(folders.subtracting(table.names) == [], "no row in the table of targets")
        #expect(folders.subtracting(manifest.targets.map(\.name)) == [], "not in Package.swift")
        #expect(table.names.subtracting(targets.map(\.name)) == [], "row without target")
        #expect(Set(microManifest.targets.map(\.name)).subtracting(table.names) == [], "no row")
        #expect(table.unknownNames == [], "the table's last column names no target")
    }

    @Test func noTargetIsNamedAfterNothing() {
        let meaningless = ["Util", "Utils", "Utilities", "Common", "Core", "Helper", "Helpers"]
        let found = targets.map(\.name).filter { name in
            meaningless.contains { name.hasSuffix($0) || name.hasPrefix($0) }
        }
        #expect(found == [])
    }

    @Test func importsAreDeclaredAsDependencies() {
        let found = swiftFiles.flatMap { file -> [String] in
            guard let target = target(of: file) else {
                return ["\(file.path): belongs to no target"]
            }
            let undeclared = SwiftSource(file.text).imports
                .subtracting(Self.toolchain)
                .subtracting(target.dependencies)
                .subtracting([target.name])
            return undeclared.sorted().map { "\(file.path): imports \($0)" }
        }
        #expect(found == [])
    }

    /// A program that a test starts is a dependency without an import; so only libraries count.
    @Test func dependenciesAreImported() {
        let programs = Set(swiftFiles.filter(Self.beginsProgram).compactMap(\.target))
        let found = targets.flatMap { target -> [String] in
            let files = swiftFiles.filter { self.target(of: $0) == target }
            guard !files.isEmpty else { return [] }
            let imports = files.reduce(into: Set<String>()) {
                $0.formUnion(SwiftSource($1.text).imports)
            }
            return target.dependencies.filter { !imports.contains($0) && !programs.contains($0) }
                .map { "\(target.name) does not import \($0)" }
        }
        #expect(found == [])
    }

    /// Which system libraries a target uses is for `Package.swift` to say.
    @Test func importsStayWithinTheLayers() {
        let own = Set(targets.filter { !$0.isSystem }.map(\.name))
        let layered = swiftFiles.filter { !$0.path.hasPrefix("Tests/") }
        let found = layered.flatMap { file in
            let allowed = file.target.flatMap(table.allowed) ?? []
            return SwiftSource(file.text).imports.intersection(own).subtracting(allowed).sorted()
                .map { "\(file.path): may not import \($0)" }
        }
        #expect(found == [])
    }

    @Test func packagesComeFromTheirAuthors() {
        #expect(!manifest.packageURLs.isEmpty && !microManifest.packageURLs.isEmpty)
        let all = manifest.packageURLs + microManifest.packageURLs
        #expect(all.filter { !$0.hasPrefix("https://github.com/") } == [])
    }

    private static func beginsProgram(_ file: Repository.File) -> Bool {
        folders.contains { file.path.hasPrefix($0 + "/") }
            && (file.path.hasSuffix("/main.swift") || file.text.contains("\n@main"))
    }
}
