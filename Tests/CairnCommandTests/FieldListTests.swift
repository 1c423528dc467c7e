import Testing

@testable import CairnCommand

/// Columns as they are written on the command line.
@Suite struct FieldListTests {
    @Test(arguments: [
        ("_id,total", ["_id", "total"]), ("_id, total", ["_id", "total"]),
        (" a ,\tb.c\t", ["a", "b.c"]), ("a b", ["a b"]), (#"" a ","b,c""#, [" a ", "b,c"]),
        (#""say ""hi""" , x"#, [#"say "hi""#, "x"]), ("tags.0", ["tags.0"]), ("a,a", ["a", "a"]),
        (#"a"b"#, [#"a"b"#]), ("é, 😀", ["é", "😀"]),
    ])
    func namesAreWhatIsBetweenTheCommas(_ text: String, _ names: [String]) throws {
        #expect(try FieldList(text).names == names)
    }

    @Test(arguments: [
        "", " ", ",", "a,", "a,,b", ".", "a.", ".a", "a..b", #"""#, #""a"#, #""a"b"#, #""""#,
        String(repeating: "a,", count: FieldList.countMax) + "a",
        String(repeating: "a.", count: 500) + "a",
    ])
    func anythingElseIsAnError(_ text: String) {
        let error = #expect(throws: Failure.self) { try FieldList(text) }
        #expect(error?.status == .usage)
    }
}
