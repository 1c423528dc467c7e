import ArchiveFormat
import BSONBytes
import DocumentQuery
import ExtendedJSON
import SampleData
import Testing

@testable import Snapshots

/// Documents as lines of CSV.
@Suite struct CSVTests {
    private func lines(
        _ documents: [BSONDocument], _ fields: [String], guarded: Bool = false
    ) throws -> (text: String, invalidStringCount: UInt64) {
        let lines = CSVLines(
            fields: fields, guardsFormulas: guarded, writer: ExtendedJSONWriter(mode: .relaxed))
        var output = DocumentFormatter.Text()
        for document in documents { try lines.append(document, to: &output) }
        let text = String(decoding: lines.head + output.bytes, as: UTF8.self)
        return (text, output.invalidStringCount)
    }

    private func cell(_ json: String, guarded: Bool = false) throws -> String {
        let document = try ExtendedJSONParser.document("{\"b\": 1, \"a\": \(json)}")
        // By bytes: a line end is one character, and may be part of another one.
        let text = try lines([document], ["a", "b"], guarded: guarded).text.utf8
        let cell = text.dropFirst("a,b\r\n".utf8.count).dropLast(",1\r\n".utf8.count)
        return String(decoding: Array(cell), as: UTF8.self)
    }

    /// A date has one form, whatever its year.
    @Test(arguments: [
        (-151_372_800_000, "1965-03-16T00:00:00Z"), (479_692_800_000, "1985-03-15T00:00:00Z"),
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+010000-01-01T00:00:00Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00Z"),
        (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
        (Int64.max, "+292278994-08-17T07:12:55.807Z"),
        (Int64.min, "-292275055-05-16T16:47:04.192Z"),
    ])
    func aDateIsISOWhateverItsYear(_ milliseconds: Int64, _ text: String) throws {
        #expect(try cell("{\"$date\": {\"$numberLong\": \"\(milliseconds)\"}}") == text)
    }

    @Test(arguments: [
        ("1", "1"), ("-5", "-5"), ("1.5", "1.5"), ("true", "true"), ("null", ""),
        (#"{"$numberLong": "-9223372036854775808"}"#, "-9223372036854775808"),
        (#"{"$numberDecimal": "-1.50"}"#, "-1.50"),
        (#"{"$numberDouble": "-Infinity"}"#, "-Infinity"),
        (#"{"$numberDouble": "NaN"}"#, "NaN"), (#"{"$undefined": true}"#, ""), (#""""#, #""""#),
        (#""a""#, "a"), (#""a,b""#, #""a,b""#), (#""a\"b""#, #""a""b""#), (#""a\nb""#, "\"a\nb\""),
        (#""a\r\nb""#, "\"a\r\nb\""), (#"" a ""#, " a "), (#""a\u0000b""#, "a\u{0}b"),
        (#""\"\u0301,\u0301""#, "\"\"\"\u{301},\u{301}\""),
        (#"{"$oid": "65f0c2a4b1d2e3f405162738"}"#, "65f0c2a4b1d2e3f405162738"),
        (
            #"{"$binary": {"base64": "AAE=", "subType": "00"}}"#,
            #""{""$binary"":{""base64"":""AAE="",""subType"":""00""}}""#
        ),
        (
            #"{"$regularExpression": {"pattern": "a", "options": "i"}}"#,
            #""{""$regularExpression"":{""pattern"":""a"",""options"":""i""}}""#
        ),
        (#"[1, "x"]"#, #""[1,""x""]""#), (#"{"x": 1}"#, #""{""x"":1}""#),
    ])
    func eachTypeHasItsForm(_ json: String, _ text: String) throws {
        #expect(Array(try cell(json).utf8) == Array(text.utf8))
    }

    @Test(arguments: [
        (#""=1+1""#, "'=1+1"), (#""+1""#, "'+1"), (#""-1""#, "'-1"), (#""@a""#, "'@a"),
        (#""\ta""#, "'\ta"), (#""\ra""#, "\"'\ra\""), (#""=\"a\"""#, "\"'=\"\"a\"\"\""),
        (#""\uFF1D1""#, "'\u{FF1D}1"), ("-5", "-5"), (#"{"$numberDecimal": "-1.5"}"#, "-1.5"),
        (#"{"$numberLong": "-7"}"#, "-7"), (#""a=""#, "a="), (#""""#, #""""#),
    ])
    func aGuardKeepsTextsFromBeingFormulas(_ json: String, _ text: String) throws {
        #expect(try cell(json, guarded: true) == text)
    }

    @Test func columnNamesAreGuardedAndQuotedToo() throws {
        #expect(try lines([], ["=a", "b,c"], guarded: true).text == "'=a,\"b,c\"\r\n")
        #expect(try lines([], ["=a", "b,c"]).text == "=a,\"b,c\"\r\n")
    }

    /// Readers skip empty lines: the document would be missing.
    @Test func aLineIsNeverEmpty() throws {
        let document = try ExtendedJSONParser.document("{}")
        #expect(try lines([document, document], ["a"]).text == "a\r\n\"\"\r\n\"\"\r\n")
        #expect(try lines([document], ["a", "b"]).text == "a,b\r\n,\r\n")
    }

    @Test func stringsThatAreNotUTF8AreCounted() throws {
        let bad = BSONDocument { builder in
            builder.append("a", BSONValue(type: .string, bytes: [3, 0, 0, 0, 0x61, 0xFF, 0]))
            builder.append(
                "b",
                BSONDocument {
                    $0.append("c", BSONValue(type: .string, bytes: [2, 0, 0, 0, 0x80, 0]))
                })
        }
        let found = try lines([bad, bad], ["a", "b"])
        #expect(found.invalidStringCount == 4)
        #expect(found.text.contains("a\u{FFFD},\"{\"\"c\"\":\"\"\u{FFFD}\"\"}\"\r\n"))
        #expect(try lines([bad], ["x"]).invalidStringCount == 0)
    }

    // MARK: The tree of fields

    /// Against a walk for each field by itself.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func aTreeOfFieldsFindsWhatSingleWalksFind(seed: UInt64) throws {
        print("CSVTests: seed \(seed)")
        var random = SplitMix64(seed: seed)
        func value(_ depth: Int) -> String {
            let kind = depth == 0 ? 0 : random.below(3)
            let count = random.below(4)
            switch kind {
            case 1:
                return "{"
                    + (0..<count).map { _ in
                        "\"\(["a", "b", "0", "1"][random.below(4)])\":\(value(depth - 1))"
                    }
                    .joined(separator: ",") + "}"
            case 2:
                return "[" + (0..<count).map { _ in value(depth - 1) }.joined(separator: ",") + "]"
            default: return "\(random.below(100))"
            }
        }
        for _ in 0..<500 {
            let text = "{\"a\":\(value(3)),\"b\":\(value(3)),\"a\":1}"
            let document = try ExtendedJSONParser.document(text)
            let fields = (0..<6).map { _ in
                (0...random.below(3)).map { _ in ["a", "b", "0", "1"][random.below(4)] }
                    .joined(separator: ".")
            }
            let expected = try fields.map { field in
                var current: BSONValue? = BSONValue(type: .document, bytes: document.bytes[...])
                for part in field.split(separator: ".") {
                    guard let inner = current, inner.type == .document || inner.type == .array
                    else {
                        return BSONValue?.none
                    }
                    current = try BSONDocument(validating: Array(inner.bytes)).first(String(part))
                }
                return current
            }
            #expect(try FieldTree(fields).values(of: document) == expected, "seed \(seed): \(text)")
        }
    }

    // MARK: Exports

    private func export(
        _ part: MadeArchive.Part, _ name: String, _ format: Export.Format
    ) async throws -> (report: Export.Report, text: String, notices: [String]) {
        let folder = try TemporaryFolder()
        let path = try folder.file("archive", try await MadeArchive.cairn([part]))
        let observer = RecordingObserver()
        var options = Export.Options(format: format, width: 2)
        options.fields = ["s"]
        let report = try await Export(
            .file(path), try #require(Namespace(parsing: name)), to: .file(folder.path + "/out"),
            options: options, observer: observer
        ).run()
        return (
            report, String(decoding: try folder.bytes(folder.path + "/out"), as: UTF8.self),
            observer.notices
        )
    }

    @Test(arguments: Export.Format.allCases)
    func anExportCountsStringsThatAreNotUTF8(_ format: Export.Format) async throws {
        let bad = BSONDocument {
            $0.append("s", BSONValue(type: .string, bytes: [2, 0, 0, 0, 0xFF, 0]))
        }
        let good = BSONDocument { $0.append("s", "\u{FFFD}") }
        let part = MadeArchive.Part("d.c", [[bad, good], [good, bad, bad]])
        let found = try await export(part, "d.c", format)
        #expect(found.report.documentCount == 5)
        #expect(found.report.invalidStringCount == (format == .bson ? 0 : 3))
    }

    @Test func whatIsNoCollectionSaysWhatItIs() async throws {
        var view = MadeArchive.Part("d.v", [])
        view.descriptor.type = .view
        view.descriptor.options = BSONDocument { $0.append("viewOn", "orders") }
        let folder = try TemporaryFolder()
        let path = try folder.file("archive", try await MadeArchive.cairn([view]))
        let name = Namespace("d", "v")
        for isSearch in [false, true] {
            let output = Export.Options(format: .ndjson, width: 1)
            let error = await #expect(throws: SnapshotError.self) {
                if isSearch {
                    _ = try await DocumentSearch(
                        .file(path), name,
                        options: DocumentSearch.Options(
                            filter: try DocumentFilter(BSONDocument()), output: output),
                        observer: RecordingObserver()
                    ).run(to: nil)
                } else {
                    _ = try await Export(
                        .file(path), name, to: .file(folder.path + "/out"), options: output,
                        observer: RecordingObserver()
                    ).run()
                }
            }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("view on d.orders") == true)
        }
        var series = MadeArchive.Part("d.weather", [MadeArchive.made(0..<2)])
        series.descriptor.type = .timeseries
        series.descriptor.dataCollection = "system.buckets.weather"
        let notices = try await export(series, "d.weather", .ndjson).notices
        #expect(notices.contains { $0.contains("time series") && $0.contains("buckets") })
        let users = MadeArchive.Part("admin.system.users", [MadeArchive.made(0..<2)])
        #expect(
            try await export(users, "admin.system.users", .ndjson).notices
                .contains { $0.contains("users or roles") })
        let plain = MadeArchive.Part("d.c", [MadeArchive.made(0..<2)])
        #expect(try await export(plain, "d.c", .ndjson).notices == [])
    }
}
