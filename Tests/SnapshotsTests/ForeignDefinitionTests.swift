import ArchiveFormat
import BSONBytes
import MongoDriver
import Testing

@testable import Snapshots

/// Definitions that this server would list in another way, or that it never made itself.
@Suite(.needsServer) struct ForeignDefinitionTests {
    private func restore(
        _ part: MadeArchive.Part, _ fixture: SnapshotFixture,
        adjust: (inout Restore.Options) -> Void = { _ in }
    ) async throws -> RestoreReport {
        let path = try fixture.folder.file("made", try await MadeArchive.cairn([part]))
        return try await fixture.restore(.file(path), adjust: adjust)
    }

    private func index(_ name: String, on field: String, version: Int32 = 2) -> BSONDocument {
        BSONDocument {
            $0.append("v", version)
            $0.append("key", BSONDocument { $0.append(field, Int32(1)) })
            $0.append("name", name)
        }
    }

    /// Servers up to 6.0 round sizes up.
    @Test(arguments: [(100_000, 0), (1, 5), (4097, -1), (8192, 10)] as [(Int64, Int64)])
    func aCappedCollectionOfAnySizeIsReplaced(size: Int64, max: Int64) async throws {
        let fixture = try await SnapshotFixture.shared()
        var part = MadeArchive.Part("\(fixture.database).c", [[document(1)]])
        part.descriptor.options = BSONDocument {
            $0.append("capped", true)
            $0.append("size", size)
            if max != 0 { $0.append("max", max) }
        }
        for _ in 0..<2 {
            let report = try await restore(part, fixture)
            #expect(report.outcome.documentCount == 1)
            let made = try await fixture.pool.withConnection { connection in
                try await connection.collection("c", in: fixture.database)
            }
            let found = try #require(made?.options.first("size")?.wholeNumber)
            // Told only when it is not as the archive says.
            #expect(report.adjustments.count == (found == Int(size) ? 0 : 1))
            #expect(report.adjustments.allSatisfy { $0.contains("\(found) bytes") })
        }
        try await fixture.drop()
    }

    /// The index on `_id` can't be changed in place.
    @Test func anotherVersionOfTheIdentifiersIndexIsReplaced() async throws {
        let fixture = try await SnapshotFixture.shared()
        var part = MadeArchive.Part("\(fixture.database).c", [[document(1)]])
        part.descriptor.indexes = [index("_id_", on: "_id", version: 1)]
        try await fixture.insert([document(1), document(2)], "c")
        for _ in 0..<2 {
            _ = try await restore(part, fixture) { $0.isInPlace = true }
            let built = try await fixture.pool.withConnection { connection in
                try await connection.indexes(of: "c", in: fixture.database)
            }
            #expect(try built.map { try $0.first("v")?.wholeNumber } == [1])
            #expect(try await fixture.documents("c").count == 1)
        }
        try await fixture.drop()
    }

    /// Servers compare names byte by byte.
    @Test(arguments: [false, true])
    func namesOfIndexesThatOnlyLookAlikeAreTwo(isInPlace: Bool) async throws {
        let fixture = try await SnapshotFixture.shared()
        var part = MadeArchive.Part("\(fixture.database).c", [[document(1)]])
        part.descriptor.indexes = [index("\u{E9}", on: "a"), index("e\u{301}", on: "b")]
        try await fixture.insert([document(1)], "c")
        _ = try await restore(part, fixture) { $0.isInPlace = isInPlace }
        let built = try await fixture.pool.withConnection { connection in
            try await connection.indexes(of: "c", in: fixture.database)
        }
        #expect(built.count == 3)
        try await fixture.drop()
    }

    /// Whatever a bucket says of itself, it holds no more measurements than bytes.
    @Test func countsOfBucketsAreBounded() throws {
        var descriptor = NamespaceDescriptor(namespace: Namespace("d", "c"), type: .timeseries)
        descriptor.options = CollectionOptions.timeseries()
        let bucket = BSONDocument {
            $0.append("control", BSONDocument { $0.append("count", Int64.max) })
        }
        let count = try #require(try MeasurementCount(descriptor))
        let run = (0..<3).flatMap { _ in bucket.bytes }
        #expect(try count.count(run[...]) <= UInt64(run.count))
        let negative = BSONDocument {
            $0.append("control", BSONDocument { $0.append("count", Int64.min) })
        }
        #expect(try count.count(negative.bytes[...]) == 0)
    }

    /// Keys that are no values of the document are not guessed at.
    @Test func keysThatCannotBeToldAreSaidToBeUnknown() async throws {
        let fixture = try await SnapshotFixture.shared()
        let documents = [
            document(1) { $0.append("n", array: [BSONDocument]()) },
            document(2) { $0.append("n", array: [BSONDocument { $0.append("x", Int32(1)) }]) },
            document(3) { $0.append("n", BSONDocument { $0.append("$oid", "x") }) },
        ]
        for archived in documents {
            try await fixture.insert([archived], "c")
            try await fixture.backup()
            try await fixture.drop()
            try await fixture.createIndex("once", on: "n", of: "c", unique: true)
            try await fixture.createIndex("inner", on: "n.y", of: "c", unique: true)
            try await fixture.insert([document(9) { $0.append("z", Int32(1)) }], "c")
            let report = try await ReplacedDefinitionTests.compare(fixture, for: .preview)
            let difference = try #require(report.entries.first?.difference)
            let foretold = difference.uniqueConflicts.reduce(0) { $0 + $1.documentCount }
            let failed = try await fixture.restore(nil, .merge).outcome.failedCount
            #expect(foretold == failed || !difference.unforeseen.isEmpty, "\(archived)")
            try await fixture.drop()
        }
    }
}
