import SnapshotJSON
import Testing

@testable import CairnCommand

@Suite struct FormattingTests {
    @Test(arguments: [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (200_000, "200,000"),
        (1_234_567, "1,234,567"), (UInt64.max, "18,446,744,073,709,551,615"),
    ])
    func countsHaveCommas(count: UInt64, text: String) {
        #expect(Formatting.count(count) == text)
    }

    @Test func oneThingIsSingular() {
        #expect(Formatting.count(1, "document") == "1 document")
        #expect(Formatting.count(0, "document") == "0 documents")
    }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9949, "9.9 kB"), (9950, "10 kB"),
        (999_499, "999 kB"), (999_500, "1.0 MB"), (171_000_000, "171 MB"),
        (1_200_000_000, "1.2 GB"), (UInt64.max, "18 EB"),
    ])
    func bytesHaveDecimalUnits(byteCount: UInt64, text: String) {
        #expect(Formatting.bytes(byteCount) == text)
    }

    @Test(arguments: [
        (0, "0 ms"), (-1, "0 ms"), (0.0054, "5 ms"), (0.0996, "0.1 s"), (1.24, "1.2 s"),
        (59.9, "59.9 s"), (59.96, "1 min 00 s"), (65, "1 min 05 s"), (3599.6, "1 h 00 min"),
        (7380, "2 h 03 min"),
    ])
    func durationsHaveTwoUnits(seconds: Double, text: String) {
        #expect(Formatting.duration(seconds) == text)
    }

    @Test func ratesNeedTime() {
        #expect(Formatting.rate(143_000_000, seconds: 1) == "143 MB/s")
        #expect(Formatting.rate(143_000_000, seconds: 0) == nil)
        #expect(Formatting.percent(78, of: 171) == "45.6 %")
        #expect(Formatting.percent(1, of: 0) == nil)
        #expect(Formatting.ratio(171_000_000, stored: 78_000_000) == "171 MB → 78 MB (45.6 %)")
    }

    @Test func decimalsAreRounded() {
        #expect(Formatting.decimal(1.0004, digitCount: 3) == "1.000")
        #expect(Formatting.decimal(0.9996, digitCount: 3) == "1.000")
        #expect(Formatting.decimal(-0.25, digitCount: 1) == "-0.3")
        #expect(Formatting.decimal(.nan, digitCount: 3) == "0")
        #expect(Formatting.decimal(.infinity, digitCount: 3) == "0")
    }

    @Test func textCannotSteerATerminal() {
        #expect(Formatting.visible("a\u{1B}[2Jb\n\t\r\u{0}") == "a\\u{1b}[2Jb\\n\\t\\r\\u{0}")
        #expect(Formatting.visible("\u{202E}gpj") == "\\u{202e}gpj")
        #expect(Formatting.visible("größe 数") == "größe 数")
    }
}

@Suite struct JSONValueTests {
    @Test func objectsKeepTheirOrder() {
        let value = JSONValue.object([
            "b": .count(UInt64.max), "a": .null, "c": .array([.bool(true), .decimal(1.5)]),
            "d": .verbatim("{\"x\":1}"), "e": .object([JSONValue.Member]()), "f": .array([]),
        ])
        let head = #"{"b":18446744073709551615,"a":null,"c":[true,1.500],"#
        #expect(value.text == head + #""d":{"x":1},"e":{},"f":[]}"#)
    }

    @Test func stringsAreEscaped() {
        let text = "\"\\/\n\r\t\u{0}\u{1F}\u{7F}\u{85}\u{2028}é😀"
        #expect(
            JSONValue.string(text).text
                == #""\"\\/\n\r\t\u0000\u001f\u007f\u0085\u2028é😀""#)
    }
}

@Suite struct TextTableTests {
    @Test func columnsAreAlignedAndEmptyOnesLeftOut() {
        var table = TextTable([.text("name"), .number("size"), .text("note")])
        table.add(["a\nb", "1", ""])
        table.add(["long name", "1,000", ""])
        #expect(table.lines == ["name        size", "a\\nb           1", "long name  1,000"])
    }

    @Test func columnsWithAnyTextStay() {
        var table = TextTable([.text("name"), .text("note")])
        table.add(["a", ""])
        table.add(["b", "DAMAGED"])
        #expect(table.lines == ["name  note", "a", "b     DAMAGED"])
    }
}
