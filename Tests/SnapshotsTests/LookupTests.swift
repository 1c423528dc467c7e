import ArchiveEngine
import ArchiveFormat
import BSONBytes
import ExtendedJSON
import Foundation
import Snapshots
import Testing

/// Documents of archives that are found and exported.
@Suite struct LookupTests {
    private func id(_ build: (inout BSONBuilder) -> Void) throws -> BSONValue {
        try BSONValue.made(build)
    }

    private func find(
        _ id: BSONValue, _ bytes: [UInt8], _ name: String = "shop.orders"
    ) async throws -> DocumentLookup.Finding {
        let folder = try TemporaryFolder()
        let path = try folder.file("archive", bytes)
        let namespace = try #require(Namespace(parsing: name))
        return try await DocumentLookup(.file(path), width: 2).find(id, in: namespace)
    }

    private static let parts = [
        MadeArchive.Part("shop.orders", (0..<20).map { MadeArchive.made($0 * 10..<$0 * 10 + 10) }),
        MadeArchive.Part("shop.tiny", [MadeArchive.made(3..<5)], isMixed: true),
    ]

    @Test func everyDocumentIsFoundInOneChunk() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        for number in 0..<200 {
            let finding = try await find(id { $0.append("", Int32(number)) }, bytes)
            #expect(finding.document == MadeArchive.made(number..<number + 1)[0])
            #expect(finding.chunkCount == 1)
        }
        let missing = try await find(id { $0.append("", Int32(200)) }, bytes)
        #expect(missing.document == nil)
        let tiny = try await find(id { $0.append("", Int32(4)) }, bytes, "shop.tiny")
        #expect(tiny.document == MadeArchive.made(4..<5)[0])
    }

    @Test func aNumberIsFoundWhateverItsType() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let expected = MadeArchive.made(42..<43)[0]
        #expect(try await find(id { $0.append("", Int64(42)) }, bytes).document == expected)
        #expect(try await find(id { $0.append("", 42.0) }, bytes).document == expected)
        #expect(try await find(id { $0.append("", 42.5) }, bytes).document == nil)
        #expect(try await find(id { $0.append("", "42") }, bytes).document == nil)
    }

    @Test func idsWithTheSameKeyAreToldApart() async throws {
        let long = String(repeating: "x", count: 60)
        let documents = ["a", "b"].map { end in BSONDocument { $0.append("_id", long + end) } }
        let bytes = try await MadeArchive.cairn([MadeArchive.Part("shop.orders", [documents])])
        for (document, end) in zip(documents, ["a", "b"]) {
            #expect(try await find(id { $0.append("", long + end) }, bytes).document == document)
        }
        #expect(try await find(id { $0.append("", long + "c") }, bytes).document == nil)
    }

    @Test func anArchiveWithoutIndexIsRead() async throws {
        let bytes = try MadeArchive.mongodump(
            ["shop.orders"], [("shop.orders", MadeArchive.made(0..<50))])
        let finding = try await find(id { $0.append("", Int32(33)) }, bytes)
        #expect(finding.document == MadeArchive.made(33..<34)[0])
    }

    @Test func whatIsNotThereIsSaid() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let error = await #expect(throws: SnapshotError.self) {
            try await find(id { $0.append("", Int32(1)) }, bytes, "shop.nothing")
        }
        #expect(error?.code == .notFound)
    }

    // MARK: Export

    private func export(
        _ bytes: [UInt8], _ format: Export.Format,
        adjust: (inout Export.Options) -> Void = { _ in }
    ) async throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let path = try folder.file("archive", bytes)
        var options = Export.Options(format: format, width: 2)
        adjust(&options)
        let target = folder.path + "/out"
        let report = try await Export(
            .file(path), Namespace("shop", "orders"), to: .file(target), options: options,
            observer: RecordingObserver()
        ).run()
        let written = try folder.bytes(target)
        #expect(report.writtenByteCount == UInt64(written.count))
        return written
    }

    @Test func bsonIsByteForByte() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        #expect(try await export(bytes, .bson) == MadeArchive.made(0..<200).flatMap(\.bytes))
    }

    @Test func jsonReadsBackAsTheSameDocuments() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let lines = try await export(bytes, .ndjson) { $0.isCanonical = true }
            .split(separator: UInt8(ascii: "\n"))
        #expect(
            try lines.map { try ExtendedJSONParser.document(utf8: Array($0)) }
                == MadeArchive.made(0..<200))
        let array = try await export(bytes, .json) { $0.isCanonical = true }
        let values = try #require(try ExtendedJSONParser.value(utf8: array).array())
        #expect(values.compactMap(\.document) == MadeArchive.made(0..<200))
    }

    @Test func anEmptyCollectionIsAnEmptyArray() async throws {
        let bytes = try await MadeArchive.cairn([MadeArchive.Part("shop.orders", [[]])])
        let text = String(decoding: try await export(bytes, .json), as: UTF8.self)
        #expect(text == "[\n\n]\n")
        #expect(try await export(bytes, .bson).isEmpty)
    }

    @Test func csvIsQuotedWhereItMustBe() async throws {
        let documents = [
            BSONDocument {
                $0.append("_id", Int32(1))
                $0.append("name", "Ann, \"the\" first")
                $0.append("address", BSONDocument { $0.append("city", "Rome") })
                $0.append("at", dateMilliseconds: 0)
                $0.append("price", 1.5)
            },
            BSONDocument {
                $0.append("_id", Int64(2))
                $0.append("tags", array: ["x", "y"])
            },
        ]
        let bytes = try await MadeArchive.cairn([MadeArchive.Part("shop.orders", [documents])])
        let text = try await export(bytes, .csv) {
            $0.fields = ["_id", "name", "address.city", "at", "price", "tags.1", "tags"]
        }
        #expect(
            String(decoding: text, as: UTF8.self).split(separator: "\r\n") == [
                "_id,name,address.city,at,price,tags.1,tags",
                "1,\"Ann, \"\"the\"\" first\",Rome,1970-01-01T00:00:00Z,1.5,,",
                "2,,,,,y,\"[\"\"x\"\",\"\"y\"\"]\"",
            ])
    }
}
