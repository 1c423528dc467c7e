import Testing

/// That the checks can fail: what they look for is found, and nothing else.
@Suite struct SwiftSourceTests {
    private func code(_ text: String) -> String {
        String(decoding: SwiftSource(text).code, as: UTF8.self)
    }

    private func braces(_ text: String) -> Int { code(text).filter { "{}".contains($0) }.count }

    @Test(arguments: [
        "// {", "/* { /* } */ { */", #""{""#, #""\"{""#, ##"#"\{"#"##, ##"#"""{"#"##,
        "\"\"\"\n{ \" \"\"  {\n\"\"\"", "let x = /{/", "f(/a\\/{/)", "let x = #/{/#", "`{`",
        #""a\("{")b{""#, ##"#"\#("{")"#"##, "\"\\\\\"/* { */", #""// {""#,
    ])
    func bracesOutsideOfCodeDoNotCount(text: String) {
        #expect(braces(text) == 0)
        #expect(braces(text + "\n{}") == 2, "the scanner lost its way")
    }

    @Test(arguments: [
        "{}", "a / b; {}/c", "x = a /* */ / {}", #""\(list.map { $0 })""#, "\"\" + {}",
        ##"#""# + {}"##, "/**/{}", #""\\" + {}"#, ##""\(f(")", "("))" + {}"##,
    ])
    func bracesInCodeCount(text: String) {
        #expect(braces(text) == 2)
    }

    @Test func commentsAreKeptApart() {
        let source = SwiftSource("a // one\n\"// two\" /* three */ b")
        let comments = String(decoding: source.comments, as: UTF8.self)
        #expect(comments.contains("one") && comments.contains("three"))
        #expect(!comments.contains("two") && !comments.contains("a "))
        #expect(source.tokens.map(\.text) == ["a", "// two", "b"])
        #expect(source.tokens.map(\.line) == [1, 2, 2])
    }

    @Test func importsAreFoundWithTheirModifiers() {
        let source = SwiftSource(
            """
            public import A
            @testable import B
            import struct C.D
            // import E
            let text = "import F"
            #if canImport(G)
            internal import G
            #endif
            """)
        #expect(source.imports == ["A", "B", "C", "G"])
    }

    @Test func wordsAreFoundOnlyAsCode() {
        #expect(SwiftSource("let a = try! f()").line(of: "try", followedBy: "!") == 1)
        #expect(SwiftSource("\n\nx as! Y").line(of: "as", followedBy: "!") == 3)
        #expect(SwiftSource("\"try!\" // try!").line(of: "try", followedBy: "!") == nil)
        #expect(SwiftSource("retry !x; alias != y").line(of: "try", followedBy: "!") == nil)
    }
}

@Suite struct FunctionSpanTests {
    private func spans(_ text: String) -> [String] {
        FunctionSpan.all(in: SwiftSource(text)).map { "\($0.name) \($0.line) \($0.lineCount)" }
    }

    @Test func functionsAreCountedFromKeywordToBrace() {
        #expect(spans("func f() {\n}\n") == ["f 1 2"])
        #expect(spans("\nfunc f(\n  a: Int\n) -> Int {\n  a\n}") == ["f 2 5"])
        #expect(spans("func f() { let s = \"}\" // }\n}") == ["f 1 2"])
        #expect(spans("static func < (a: A, b: A) -> Bool {\n a\n}") == ["< 1 3"])
        #expect(spans("func f(g: () -> Int = { 1 }) {\n}") == ["f 1 2"])
    }

    @Test func nestedClosuresAndFunctionsCountToTheOuterOne() {
        let text = "func f() {\n  g {\n  }\n  func h() {\n  }\n}"
        #expect(spans(text) == ["f 1 6", "h 4 2"])
    }

    @Test func requirementsHaveNoBody() {
        let text = "protocol P {\n func f()\n func g() -> Int\n init()\n var x: Int { get }\n}"
        #expect(spans(text + "\n{\n}") == ["x 5 1"])
    }

    @Test func initializersAndSubscriptsCount() {
        #expect(spans("init?(a: Int) {\n}\ndeinit {\n}") == ["init 1 2", "deinit 3 2"])
        #expect(spans("subscript(a: Int) -> Int {\n 1\n}") == ["subscript 1 3"])
        #expect(spans("self.init(a)\n{\n}\n.init()") == [])
    }

    @Test func computedPropertiesCountAndStoredOnesDoNot() {
        #expect(spans("var a: [Int] {\n [1]\n}") == ["a 1 3"])
        #expect(spans("var a: Int\nfunc f() {\n}") == ["f 2 2"])
        #expect(spans("var a = 1\nif b {\n}") == [])
    }

    @Test func aFunctionOneLineTooLongIsFound() {
        let lines = String(repeating: "  f()\n", count: 59)
        #expect(spans("func f() {\n\(lines)}") == ["f 1 61"])
    }
}

@Suite struct PackageManifestTests {
    private let manifest = PackageManifest(
        """
        func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
            .target(name: name, dependencies: dependencies, swiftSettings: [])
        }
        let package = Package(
            dependencies: [.package(url: "https://example.org/a", from: "1.0.0")],
            targets: [
                system("CA", "a", "liba-dev"), module("B", ["CA"]), module("C"),
                .executableTarget(
                    name: "d", dependencies: ["B", .product(name: "P", package: "p")],
                    swiftSettings: s),
                tests("T", ["B", .target(name: "C")], resources: [.copy("Vectors")]),
            ])
        """)

    @Test func targetsAndTheirDependenciesAreRead() {
        #expect(manifest.targets.map(\.name) == ["CA", "B", "C", "d", "T"])
        #expect(manifest.target("B")?.dependencies == ["CA"])
        #expect(manifest.target("d")?.dependencies == ["B", "P"])
        #expect(manifest.target("T")?.dependencies == ["B", "C"])
        #expect(manifest.targets.filter(\.isSystem).map(\.name) == ["CA"])
        #expect(manifest.packageURLs == ["https://example.org/a"])
    }
}

@Suite struct TargetTableTests {
    private let table = TargetTable(
        """
        | `cairn backup` | takes a backup | now |

        | target | its one reason to exist | may import |
        |---|---|---|
        | `CA` `CB` | module maps | – |
        | `Low` | bytes | CA |
        | `High` | tasks | `Low`, Lwo |
        | `Top` | users | all above |
        | `tool` | command line | `High` and below |

        | `other` | a | b |
        """)

    @Test func rowsSayWhatATargetMayImport() {
        #expect(table.names == ["CA", "CB", "Low", "High", "Top", "tool"])
        #expect(table.allowed(for: "CA") == [])
        #expect(table.allowed(for: "Low") == ["CA"])
        #expect(table.allowed(for: "Top") == ["CA", "CB", "Low", "High", "all", "above"])
        #expect(table.allowed(for: "tool")?.isSuperset(of: ["CA", "Low", "High"]) == true)
        #expect(table.allowed(for: "tool")?.contains("Top") == false)
        #expect(table.allowed(for: "other") == nil)
        #expect(table.unknownNames == ["Lwo"])
    }
}

@Suite struct RepositoryTests {
    @Test func hiddenFilesOfTheProjectAreAmongThoseChecked() throws {
        let paths = Set(try Repository().everyFile().map(\.path))
        #expect(paths.isSuperset(of: ["Makefile", ".ci/run", "Scripts/setup", "Package.swift"]))
        #expect(!paths.contains { $0.hasPrefix(".build") || $0.hasPrefix(".tools") })
    }
}
