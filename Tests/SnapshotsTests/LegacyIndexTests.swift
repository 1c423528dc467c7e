import ArchiveFormat
import BSONBytes
import ExtendedJSON
import Foundation
import MongoDriver
import Snapshots
import Testing

/// Options and indexes as servers before 3.4 and their drivers wrote them.
@Suite(.needsServer) struct LegacyIndexTests {
    /// An archive of mongodump's with one collection `c` of two documents.
    private func archive(
        indexes: [String], options: String = "{}", _ fixture: SnapshotFixture
    ) throws -> ArchiveLocation {
        let documents = (0..<2 as Range<Int32>).map { number in
            BSONDocument {
                $0.append("_id", number)
                $0.append("a", number)
                $0.append("text", "stone")
            }
        }
        var part = MadeArchive.Part("\(fixture.database).c", [documents])
        part.descriptor.options = try ExtendedJSONParser.document(options)
        part.descriptor.indexes = try indexes.map { try ExtendedJSONParser.document($0) }
        let bytes = try MadeArchive.mongodump([part])
        return .file(try fixture.folder.file("dump-\(UUID()).archive", bytes))
    }

    /// What the server lists beside the index on `_id`.
    private func listed(_ fixture: SnapshotFixture) async throws -> [String] {
        let indexes = try await fixture.pool.withConnection {
            try await $0.indexes(of: "c", in: fixture.database)
        }
        return try indexes.filter { try $0.first("name")?.string != "_id_" }.map {
            try ExtendedJSONWriter(mode: .relaxed).text(of: $0)
        }
    }

    static let a1 = #"{"v":2,"key":{"a":1},"name":"a_1"}"#

    @Test(arguments: [
        (#"{"v":2,"key":{"a":1},"name":"a_1","w":1}"#, a1, "\"w\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","safe":null}"#, a1, "\"safe\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","foo":{"$undefined":true}}"#, a1, "\"foo\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","drop_dups":true}"#, a1, "\"drop_dups\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","bucketSize":1}"#, a1, "\"bucketSize\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","sparse":null}"#, a1, "\"sparse\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","partialFilterExpression":null}"#, a1, "\"partial"),
        (#"{"v":2,"key":{"a":1},"name":"a_1","background":"yes"}"#, a1, "\"background\""),
        (#"{"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":null}"#, a1, "\"expireAfter"),
        (#"{"v":2,"key":{"a":1},"name":"a_1","storageEngine":{"mmapv1":{}}}"#, a1, "storage"),
        (#"{"v":0,"key":{"a":1},"name":"a_1","ns":"x.y"}"#, a1, "version"),
        (#"{"v":null,"key":{"a":1},"name":"a_1"}"#, a1, "version"),
        (#"{"key":{"a":1},"name":"a_1"}"#, a1, ""),
        (#"{"v":2,"key":{"a":1}}"#, a1, "had no name"),
        (#"{"v":2,"key":{"a":1},"name":7}"#, a1, "had no name"),
        (
            #"{"v":1,"key":{"a":1},"name":"a_1","collation":{"locale":"simple"}}"#,
            #"{"v":1,"key":{"a":1},"name":"a_1"}"#, ""
        ),
        (
            #"{"v":2,"key":{"a":1},"name":"a_1","unique":1.0,"dropDups":true}"#,
            #"{"v":2,"key":{"a":1},"name":"a_1","unique":true}"#, "dropDups"
        ),
        (
            #"{"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":{"$numberDouble":"NaN"}}"#,
            #"{"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":2147483647}"#, "never"
        ),
        (
            #"{"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":3600.5}"#,
            #"{"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":3600}"#, ""
        ),
        (
            #"{"v":1,"key":{"g":"2dsphere"},"name":"g"}"#,
            #"{"v":1,"key":{"g":"2dsphere"},"name":"g","2dsphereIndexVersion":1}"#, ""
        ),
        (
            #"{"v":1,"key":{"g":"2d"},"name":"g","bits":26.0,"min":-180,"max":180.0}"#,
            #"{"v":1,"key":{"g":"2d"},"name":"g","bits":26,"min":-180.0,"max":180.0}"#, ""
        ),
        (
            #"{"v":2,"key":{"_id":"hashed"},"name":"_id_hashed"}"#,
            #"{"v":2,"key":{"_id":"hashed"},"name":"_id_hashed"}"#, ""
        ),
        (#"{"v":1,"key":{"$**":1},"name":"w"}"#, #"{"v":2,"key":{"$**":1},"name":"w"}"#, "version"),
    ])
    func whatNoServerTakesIsLeftOutAndNamed(
        _ index: String, _ expected: String, _ note: String
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(indexes: [index], fixture)
        // Twice: the same whatever is there.
        for _ in 0..<2 {
            let observer = RecordingObserver()
            let report = try await fixture.restore(archive, observer: observer)
            #expect(try await listed(fixture) == [expected])
            #expect(report.outcome.documentCount == 2)
            // Nothing is told of what stays as it is.
            #expect(report.adjustments.count == (note.isEmpty ? 0 : 1), "\(report.adjustments)")
            #expect(report.adjustments.allSatisfy { $0.contains(note) })
            #expect(observer.notices == report.adjustments)
        }
        try await fixture.drop()
    }

    @Test(arguments: [
        (#"true"#, "1"), (#"false"#, "1"), (#"\"\""#, "1"), ("0", "1"), ("0.0", "1"),
        (#"{"$numberLong":"0"}"#, "1"), (#"{"$numberDecimal":"0"}"#, "1"), ("null", "1"),
        (#"{"$numberDouble":"NaN"}"#, "1"), (#"{"x":1}"#, "1"), (#"[1]"#, "1"),
        (#"{"$date":5}"#, "1"), (#"{"$undefined":true}"#, "1"),
    ])
    func keysThatServersRefuseAreConvertedOnlyWhenAsked(
        _ value: String, _ converted: String
    ) async throws {
        let value = value.replacingOccurrences(of: #"\""#, with: "\"")
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(
            indexes: [#"{"v":1,"key":{"b":-1,"a":\#(value)},"name":"x","ns":"y.c"}"#], fixture)
        try await fixture.insert(MadeArchive.made(5..<6), "c")
        let error = await #expect(throws: SnapshotError.self) {
            try await fixture.restore(archive)
        }
        #expect(error?.code == .unsupported)
        let message = error?.message ?? ""
        #expect(message.contains("index x of \(fixture.database).c"), "\(message)")
        #expect(message.contains("--convert-legacy-indexes") && message.contains("--no-indexes"))
        // Nothing was written.
        #expect(try await fixture.documents("c").count == 1)
        #expect(try await fixture.names() == ["c"])

        let report = try await fixture.restore(archive) { $0.convertsLegacyIndexes = true }
        let built = #"{"v":1,"key":{"b":-1,"a":\#(converted)},"name":"x"}"#
        #expect(try await listed(fixture) == [built])
        #expect(report.adjustments.count == 1)

        let without = try await fixture.restore(archive) { $0.restoresIndexes = false }
        #expect(try await listed(fixture) == [])
        #expect(without.adjustments == [])
        #expect(try await fixture.documents("c").count == 2)
        try await fixture.drop()
    }

    @Test(arguments: [
        (#""unique":"yes""#, #","unique":true"#), (#""sparse":{}"#, #","sparse":true"#),
        (#""expireAfterSeconds":-1"#, ""), (#""expireAfterSeconds":"60""#, ""),
        (#""expireAfterSeconds":true"#, ""),
        (#""expireAfterSeconds":{"$numberLong":"1000000000000"}"#, ""),
    ])
    func optionsThatServersRefuseAreConvertedOnlyWhenAsked(
        _ option: String, _ converted: String
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(
            indexes: [#"{"v":2,"key":{"a":1},"name":"a_1",\#(option)}"#], fixture)
        await #expect(throws: SnapshotError.self) { try await fixture.restore(archive) }
        let report = try await fixture.restore(archive) { $0.convertsLegacyIndexes = true }
        #expect(
            try await listed(fixture) == [#"{"v":2,"key":{"a":1},"name":"a_1"\#(converted)}"#])
        #expect(report.adjustments.count == 1)
        try await fixture.drop()
    }

    @Test func indexesThatAConversionMakesOneAreBuiltOnce() async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(
            indexes: [
                #"{"v":1,"key":{"a":true},"name":"first"}"#,
                #"{"v":1,"key":{"a":1.0},"name":"second","unique":true}"#,
                #"{"v":1,"key":{"a":""},"name":"third"}"#,
                #"{"v":1,"key":{"a":""},"name":"partial","partialFilterExpression":{"a":1}}"#,
            ], fixture)
        let report = try await fixture.restore(archive) { $0.convertsLegacyIndexes = true }
        #expect(
            try await listed(fixture) == [
                #"{"v":1,"key":{"a":1.0},"name":"second","unique":true}"#,
                #"{"v":1,"key":{"a":1},"name":"partial","partialFilterExpression":{"a":1}}"#,
            ])
        #expect(report.adjustments.filter { $0.contains("left out") }.count == 2)
        try await fixture.drop()
    }

    @Test(arguments: [
        #"{"v":1,"key":{"_id":true},"name":"_id_","unique":true,"ns":"a.b"}"#,
        #"{"v":1,"key":{"_id":""},"name":"_id_","dropDups":true,"background":null}"#,
        #"{"v":0,"key":{"_id":0},"name":"_id_","w":1}"#,
        #"{"v":2,"key":{"_id":{"$numberDecimal":"1"}},"name":"_id_","sparse":false}"#,
        #"{"key":{"_id":null},"name":"_id_"}"#,
    ])
    func anIndexOnTheIdentifierIsTheOneThatEveryCollectionHas(_ index: String) async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(indexes: [index, index], fixture)
        let report = try await fixture.restore(archive)
        #expect(try await listed(fixture) == [])
        #expect(report.adjustments == [])
        try await fixture.drop()
    }

    @Test(arguments: [
        (#"{"v":2,"key":{"a":"geoHaystack","b":1},"name":"h","bucketSize":1}"#, "geoHaystack"),
        (#"{"v":1,"key":{"a":"nonsense"},"name":"h"}"#, "nonsense"),
        (#"{"v":1,"key":{"_id":-1},"name":"h"}"#, "_id"),
        (#"{"v":1,"key":{},"name":"h"}"#, "no key"),
        (#"{"v":1,"name":"h"}"#, "no key"),
    ])
    func whatNoConversionHelpsIsRefusedBeforeAnythingIsWritten(
        _ index: String, _ reason: String
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(indexes: [index], fixture)
        for converts in [false, true] {
            let error = await #expect(throws: SnapshotError.self) {
                try await fixture.restore(archive) { $0.convertsLegacyIndexes = converts }
            }
            #expect(error?.message.contains(reason) ?? false)
            #expect(error?.message.contains("--no-indexes") ?? false)
            #expect(error?.message.contains("--convert") == false)
        }
        #expect(try await fixture.names() == [])
        try await fixture.restore(archive) { $0.restoresIndexes = false }
        #expect(try await fixture.documents("c").count == 2)
        try await fixture.drop()
    }

    @Test(arguments: [
        (#"{"flags":1,"create":"c","temp":true,"autoIndexId":false}"#, "{}", 0),
        (#"{"capped":false,"size":5000.0,"max":null}"#, "{}", 1),
        (
            #"{"capped":true,"size":{"$numberLong":"8192"},"max":{"$numberDouble":"10.0"}}"#,
            #"{"capped":true,"size":8192,"max":10}"#, 0
        ),
        (#"{"capped":1,"size":8192.0}"#, #"{"capped":true,"size":8192}"#, 0),
        (#"{"validator":null,"collation":null,"storageEngine":{}}"#, "{}", 0),
        (#"{"storageEngine":{"mmapv1":{}},"usePowerOf2Sizes":true,"$nExtents":3}"#, "{}", 3),
        (#"{"indexOptionDefaults":{"storageEngine":{"mmapv1":{}}}}"#, "{}", 1),
        (#"{"idIndex":{"v":1,"key":{"_id":1},"name":"_id_","ns":"x.y"}}"#, "{}", 0),
        (
            #"{"validator":{"text":{"$exists":true}},"validationLevel":"off"}"#,
            #"{"validator":{"text":{"$exists":true}},"validationLevel":"off"}"#, 0
        ),
    ])
    func oldOptionsOfCollectionsAreTaken(
        _ options: String, _ expected: String, _ noteCount: Int
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(indexes: [], options: options, fixture)
        let report = try await fixture.restore(archive)
        let info = try await fixture.pool.withConnection { connection in
            try await connection.collections(in: fixture.database).first { $0.name == "c" }
        }
        let listed = try ExtendedJSONWriter(mode: .relaxed).text(of: info?.options ?? .init())
        let isLevelListed = expected.contains("validationLevel")
        #expect(isLevelListed ? listed.hasPrefix(expected.dropLast()) : listed == expected)
        #expect(report.adjustments.count == noteCount, "\(report.adjustments)")
        try await fixture.drop()
    }

    @Test func mergesAndTheDifferenceAndPreviewsReadIndexesInTheSameWay() async throws {
        let fixture = try await SnapshotFixture.shared()
        let old = try archive(
            indexes: [
                #"{"v":2,"key":{"a":1},"name":"a_1","w":1,"expireAfterSeconds":3600.0}"#,
                #"{"v":1,"key":{"b":true},"name":"b_1"}"#,
            ], fixture)
        let path = fixture.folder.path + "/indexed.archive.gz"
        _ = try await Conversion(
            old, to: .file(path),
            options: Conversion.Options(width: 2, temporaryFolder: fixture.folder.path),
            environment: MadeArchive.environment, observer: RecordingObserver()
        ).run()
        let archive = ArchiveLocation.file(path)
        func preview(_ converts: Bool) async throws -> LiveComparison.Report {
            var options = Restore.Options(mode: .replace, width: 2)
            options.convertsLegacyIndexes = converts
            return try await LiveComparison(
                archive, with: fixture.pool, for: .preview, restore: options,
                options: Comparison.Options(width: 2), observer: RecordingObserver()
            ).run()
        }
        let refusal = try #require(try await preview(false).refusals.first)
        #expect(refusal.refusal.message.contains("--convert-legacy-indexes"))
        #expect(refusal.ways == RestoreWay.allCases)
        let foretold = try await preview(true).adjustments
        #expect(foretold.count == 2)
        let merged = try await fixture.restore(archive, .merge) { $0.convertsLegacyIndexes = true }
        #expect(merged.adjustments == foretold)
        let built = try await listed(fixture)
        #expect(
            built == [
                #"{"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":3600}"#,
                #"{"v":1,"key":{"b":1},"name":"b_1"}"#,
            ])
        // All is equal, so nothing is to do, and nothing is done.
        #expect(try await preview(true).entries.allSatisfy(\.difference.isEqual))
        let inPlace = try await fixture.restore(archive) {
            $0.isInPlace = true
            $0.convertsLegacyIndexes = true
        }
        #expect(inPlace.outcome.equalCount == 2 && inPlace.adjustments == foretold)
        #expect(try await listed(fixture) == built)
        // Small ones of an archive with an index are loaded in a transaction.
        let replaced = try await fixture.restore(archive) { $0.convertsLegacyIndexes = true }
        #expect(replaced.adjustments == foretold)
        #expect(try await listed(fixture) == built)
        // Without indexes a replace leaves none, written in place or not; a merge leaves them.
        _ = try await fixture.restore(archive, .merge) { $0.restoresIndexes = false }
        #expect(try await listed(fixture) == built)
        _ = try await fixture.restore(archive) {
            $0.isInPlace = true
            $0.restoresIndexes = false
        }
        #expect(try await listed(fixture) == [])
        try await fixture.drop()
    }

    @Test func aThousandAdjustmentsAreToldInAHundred() async throws {
        let fixture = try await SnapshotFixture.shared()
        let archive = try archive(
            indexes: [
                "{\"v\":2,\"key\":{\"a\":1},\"name\":\"a_1\""
                    + (0..<1000).map { ",\"o\($0)\":1" }.joined() + "}"
            ], fixture)
        let report = try await fixture.restore(archive)
        #expect(report.adjustments.count == 101)
        #expect(report.adjustments.last == "and 900 more")
        #expect(try await listed(fixture) == [Self.a1])
        try await fixture.drop()
    }
}
