import ArchiveFormat
import BSONBytes
import DocumentQuery
import ExtendedJSON
import ObjectStorage
import Snapshots
import Testing

/// Documents of archives that are found by a filter.
@Suite struct SearchTests {
    private static let parts = [
        MadeArchive.Part("shop.orders", (0..<20).map { MadeArchive.made($0 * 10..<$0 * 10 + 10) }),
        MadeArchive.Part("shop.tiny", [MadeArchive.made(3..<5)], isMixed: true),
    ]

    private struct Outcome {
        var report: DocumentSearch.Report
        var written: [UInt8]

        /// The documents, from lines of canonical Extended JSON.
        var documents: [BSONDocument] {
            get throws {
                try written.split(separator: UInt8(ascii: "\n")).map {
                    try ExtendedJSONParser.document(utf8: Array($0))
                }
            }
        }
    }

    private func search(
        _ bytes: [UInt8], _ filter: String, _ name: String = "shop.orders", width: Int = 2,
        adjust: (inout DocumentSearch.Options) -> Void = { _ in }
    ) async throws -> Outcome {
        let folder = try TemporaryFolder()
        let path = try folder.file("archive", bytes)
        var output = Export.Options(format: .ndjson, width: width)
        output.isCanonical = true
        var options = DocumentSearch.Options(
            filter: try DocumentFilter(ExtendedJSONParser.document(filter)), output: output)
        adjust(&options)
        let search = DocumentSearch(
            .file(path), try #require(Namespace(parsing: name)), options: options,
            observer: RecordingObserver())
        let target = folder.path + "/out"
        let report = try await search.run(to: .file(target))
        let written = try folder.bytes(target)
        #expect(report.writtenByteCount == UInt64(written.count))
        let counted = try await search.run(to: nil)
        #expect(counted.matchedCount == report.matchedCount)
        #expect(counted.writtenByteCount == 0)
        return Outcome(report: report, written: written)
    }

    @Test(arguments: [1, 3])
    func findsInTheArchivesOrder(width: Int) async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let filter = #"{"text":{"$regex":"stone (7|17|177) "}}"#
        let outcome = try await search(bytes, filter, width: width)
        let all = MadeArchive.made(0..<200)
        #expect(try outcome.documents == [all[7], all[17], all[177]])
        #expect(outcome.report.matchedCount == 3)
        #expect(outcome.report.scannedCount == 200)
        #expect(outcome.report.chunkCount == 20)
        #expect(outcome.report.skippedChunkCount == 0)
    }

    @Test func readsOnlyChunksThatMayHoldTheIDs() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let outcome = try await search(bytes, #"{"_id":{"$gte":55,"$lt":65.5}}"#)
        #expect(try outcome.documents == MadeArchive.made(55..<66))
        #expect(outcome.report.skippedChunkCount == 18)
        #expect(outcome.report.chunkCount == 2)
        #expect(outcome.report.scannedCount == 20)
        let listed = try await search(bytes, #"{"_id":{"$in":[3,{"$numberLong":"177"},"x"]}}"#)
        #expect(listed.report.matchedCount == 2)
        #expect(listed.report.skippedChunkCount == 18)
        let nothing = try await search(bytes, #"{"_id":-1}"#)
        #expect(nothing.report.matchedCount == 0)
        #expect(nothing.report.skippedChunkCount == 20)
        let tiny = try await search(bytes, #"{"_id":4}"#, "shop.tiny")
        #expect(try tiny.documents == MadeArchive.made(4..<5))
    }

    @Test(arguments: [1, 3])
    func stopsAtTheLimit(width: Int) async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let outcome = try await search(bytes, #"{"_id":{"$mod":[2,1]}}"#, width: width) {
            $0.limit = 8
        }
        let all = MadeArchive.made(0..<200)
        #expect(try outcome.documents == stride(from: 1, to: 16, by: 2).map { all[$0] })
        #expect(outcome.report.matchedCount == 8)
        #expect(outcome.report.scannedCount == 16)
        #expect(outcome.report.chunkCount == 2)
        let more = try await search(bytes, "{}", width: width) { $0.limit = 1000 }
        #expect(more.report.matchedCount == 200)
    }

    @Test func otherFormatsHoldTheSameDocuments() async throws {
        let bytes = try await MadeArchive.cairn(Self.parts)
        let filter = #"{"_id":{"$in":[7,17]}}"#
        let raw = try await search(bytes, filter) { $0.output.format = .bson }
        #expect(raw.written == [7, 17].flatMap { MadeArchive.made($0..<$0 + 1)[0].bytes })
        let array = try await search(bytes, filter) { $0.output.format = .json }
        let values = try #require(try ExtendedJSONParser.value(utf8: array.written).array())
        #expect(values.count == 2)
        let table = try await search(bytes, filter) {
            $0.output.format = .csv
            $0.output.fields = ["_id"]
        }
        #expect(String(decoding: table.written, as: UTF8.self) == "_id\r\n7\r\n17\r\n")
        let nothing = try await search(bytes, #"{"a":1}"#) { $0.output.format = .json }
        #expect(String(decoding: nothing.written, as: UTF8.self) == "[\n\n]\n")
    }

    @Test func anArchiveWithoutIndexIsRead() async throws {
        let bytes = try MadeArchive.mongodump(
            ["shop.orders"], [("shop.orders", MadeArchive.made(0..<50))])
        let outcome = try await search(bytes, #"{"_id":{"$gt":47}}"#)
        #expect(try outcome.documents == MadeArchive.made(48..<50))
        let first = try await search(bytes, "{}") { $0.limit = 1 }
        #expect(try first.documents == MadeArchive.made(0..<1))
    }

    @Test func aDamagedChunkIsAnErrorAndAMissingCollectionToo() async throws {
        var bytes = try await MadeArchive.cairn(Self.parts)
        let error = await #expect(throws: SnapshotError.self) {
            try await search(bytes, "{}", "shop.nothing")
        }
        #expect(error?.code == .notFound)
        bytes[bytes.count / 3] ^= 0x10
        await #expect(throws: ArchiveError.self) { try await search(bytes, "{}") }
    }

    @Test(arguments: [true, false])
    func aCancelledSearchLeavesNoFile(writes: Bool) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("archive", try await MadeArchive.cairn(Self.parts))
        let options = DocumentSearch.Options(
            filter: try DocumentFilter(BSONDocument()),
            output: Export.Options(format: .ndjson, width: 1))
        let error = await Canceller().run(at: { $0.documentCount >= 10 }) { observer in
            _ = try await DocumentSearch(
                .file(path), Namespace("shop", "orders"), options: options, observer: observer
            ).run(to: writes ? .file(folder.path + "/out") : nil)
        }
        #expect(error is CancellationError, "\(String(describing: error))")
        #expect(try folder.contents == ["archive"])
    }

    /// A range of keys that is left out holds no document that matches, whatever the `_id`s are.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func keysLeaveNothingOut(seed: UInt64) throws {
        var random = try RandomFilters(seed: seed)
        random.fields = ["_id"]
        var skippedCount = 0
        for _ in 0..<20_000 {
            let document = random.documentOfAnyID()
            let filter = random.acceptedFilter()
            let (key, isMatch) = try document.bytes.withUnsafeBytes { bytes in
                (try DocumentKey(document: bytes), try filter.matcher().matches(bytes))
            }
            let mayMatch = try filter.mayMatch(idsIn: #require(key)...#require(key))
            if !mayMatch { skippedCount += 1 }
            guard isMatch, !mayMatch else { continue }
            Issue.record("seed \(seed): \(try ExtendedJSONWriter().text(of: document))")
        }
        #expect(skippedCount > 1000)
    }
}
