import ArchiveFormat
import BSONBytes
import MongoDriver
import SampleData
import Snapshots
import Testing

/// What a restore would do, told without doing it.
@Suite(.needsServer) struct PreviewTests {
    private func preview(
        _ fixture: SnapshotFixture, for purpose: LiveComparison.Purpose = .preview,
        renames: [String] = [], observer: RecordingObserver = RecordingObserver(),
        adjust: (inout Comparison.Options) -> Void = { _ in }
    ) async throws -> LiveComparison.Report {
        var restore = Restore.Options(mode: .replace, width: 2)
        restore.renames = try renames.map { try NamespaceRename($0) }
        var options = Comparison.Options(width: 2)
        adjust(&options)
        return try await LiveComparison(
            .snapshot("latest", in: fixture.catalog), with: fixture.pool, for: purpose,
            restore: restore, options: options, observer: observer
        ).run()
    }

    private func made(_ numbers: Range<Int>) -> [BSONDocument] {
        numbers.map { number in
            document(Int32(number)) { $0.append("text", "snapshot \(number)") }
        }
    }

    private func id(_ number: Int32) throws -> BSONValue {
        try BSONValue.made { $0.append("", number) }
    }

    @Test func everyDocumentIsToldOf() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(made(0..<500), "c")
        try await fixture.insert(made(0..<3), "same")
        try await fixture.insert(made(0..<7), "gone")
        try await fixture.backup()
        try await fixture.dropCollection("gone")
        for number: Int32 in 0..<10 { try await fixture.delete(id(number), "c") }
        for number: Int32 in 10..<17 {
            try await fixture.replace(
                id(number), by: document(number) { $0.append("text", "live") }, "c")
        }
        try await fixture.insert(made(1000..<1004), "c")
        try await fixture.insert(made(0..<2), "new")
        let before = try await fixture.state()
        let report = try await preview(fixture)
        #expect(try await fixture.state() == before, "nothing is written")
        #expect(report.moment != nil, "the test's server has a history")
        #expect(report.entries.map(\.target.collection) == ["c", "gone", "same"])
        let main = try #require(report.entries.first?.difference)
        #expect(main.onlyInFirstCount == 10 && main.differingCount == 7)
        #expect(main.equalCount == 483 && main.onlyInSecondCount == 4)
        #expect(main.onlyInFirst.compactMap(\.int32) == [0, 1, 2, 3, 4])
        #expect(main.onlyInSecond.compactMap(\.int32) == [1000, 1001, 1002, 1003])
        #expect(main.differing.compactMap(\.id.int32) == [10, 11, 12, 13, 14])
        let field = try #require(main.differing.first?.fields.first)
        #expect(field.path == "text")
        #expect(field.first?.string == "snapshot 10" && field.second?.string == "live")
        let gone = report.entries[1].difference
        #expect(!gone.isInSecond && gone.onlyInFirstCount == 7 && gone.onlyInFirst.count == 5)
        #expect(report.entries[2].difference.isEqual)
        // As a difference it also tells of what a snapshot taken now would have.
        let difference = try await preview(fixture, for: .difference)
        let new = try #require(difference.entries.last?.difference)
        #expect(new.namespace.collection == "new" && new.onlyInSecondCount == 2)
        #expect(!new.isInFirst && !difference.isEqual)
        try await fixture.drop()
    }

    /// By a collation, or as numbers of other types, `_id`s are equal whose bytes are not: such a
    /// document is overwritten, whatever it looks like.
    @Test func disguisedDocumentsAreFound() async throws {
        let fixture = try await SnapshotFixture.shared()
        let collation = BSONDocument {
            let collation = BSONDocument {
                $0.append("locale", "en")
                $0.append("strength", Int32(2))
            }
            $0.append("collation", collation)
        }
        func named(_ id: BSONValue, _ text: String) -> BSONDocument {
            document(id: id) { $0.append("text", text) }
        }
        func text(_ text: String) throws -> BSONValue { try BSONValue.made { $0.append("", text) } }
        func nested(_ build: (inout BSONBuilder) -> Void) throws -> BSONValue {
            let document = BSONDocument(build)
            return try BSONValue.made { $0.append("", document) }
        }
        try await fixture.create("c", collation)
        try await fixture.insert(
            [named(text("A"), "x"), named(text("B"), "x"), named(text("same"), "x")], "c")
        try await fixture.insert(
            [named(nested { $0.append("a", Int32(1)) }, "x"), document(5)], "numbers")
        try await fixture.backup()
        try await fixture.delete(text("A"), "c")
        try await fixture.delete(text("B"), "c")
        try await fixture.insert([named(text("a"), "live"), named(text("d"), "live")], "c")
        try await fixture.delete(nested { $0.append("a", Int32(1)) }, "numbers")
        try await fixture.insert([named(nested { $0.append("a", 1.0) }, "live")], "numbers")
        let report = try await preview(fixture)
        let collated = try #require(report.entries.first?.difference)
        #expect(collated.onlyInFirstCount == 1 && collated.onlyInFirst.first?.string == "B")
        #expect(collated.differingCount == 1 && collated.equalCount == 1)
        #expect(collated.onlyInSecondCount == 1 && collated.onlyInSecond.first?.string == "d")
        let numbers = try #require(report.entries.last?.difference)
        #expect(numbers.onlyInFirstCount == 0 && numbers.onlyInSecondCount == 0)
        #expect(numbers.differingCount == 1 && numbers.equalCount == 1)
        // And that is what a merge does.
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(outcome.insertedCount == 1 && outcome.overwrittenCount == 2)
        #expect(outcome.equalCount == 2)
        try await fixture.drop()
    }

    @Test func definitionsAreCompared() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await CollectionKinds.make(fixture)
        try await fixture.insert(made(0..<3), "c")
        try await fixture.backup()
        let equal = try await preview(fixture)
        #expect(equal.isEqual, "\(equal.entries.filter { !$0.difference.isEqual })")
        try await fixture.command(
            BSONDocument {
                $0.append("collMod", "c")
                $0.append("validationLevel", "moderate")
            })
        try await fixture.command(
            BSONDocument {
                $0.append("createIndexes", "c")
                let index = BSONDocument {
                    $0.append("key", BSONDocument { $0.append("text", Int32(1)) })
                    $0.append("name", "text_1")
                }
                $0.append("indexes", array: [index])
            })
        let report = try await preview(fixture)
        let difference = try #require(
            report.entries.first { $0.target.collection == "c" }?.difference)
        #expect(difference.options.contains { $0.path == "validationLevel" })
        #expect(difference.indexes.map(\.name) == ["text_1"])
        #expect(difference.indexes.first?.first == nil)
        #expect(report.entries.filter { !$0.difference.isEqual }.count == 1)
        try await fixture.drop()
    }

    @Test func renamedCollectionsAreComparedWithTheirTargets() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(made(0..<20), "c")
        try await fixture.backup()
        try await fixture.insert(made(0..<5), "d")
        let report = try await preview(
            fixture, renames: ["\(fixture.database).c=\(fixture.database).d"])
        let entry = try #require(report.entries.first)
        #expect(entry.source.collection == "c" && entry.target.collection == "d")
        #expect(entry.difference.onlyInFirstCount == 15 && entry.difference.equalCount == 5)
        try await fixture.drop()
    }

    /// Whatever the seed: the counts are those of dictionaries, in one pass or in several.
    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2])
    func countsAreThoseOfAModel(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let fixture = try await SnapshotFixture.shared()
        let archived = made(0..<random.below(3000) + 1)
        try await fixture.insert(archived, "c")
        try await fixture.backup()
        var expected = (insert: 0, overwrite: 0, equal: 0)
        for number in 0..<archived.count {
            switch random.below(100) {
            case 0..<3:
                try await fixture.delete(id(Int32(number)), "c")
                expected.insert += 1
            case 3..<6:
                try await fixture.replace(id(Int32(number)), by: document(Int32(number)), "c")
                expected.overwrite += 1
            default: expected.equal += 1
            }
        }
        let newCount = random.below(50)
        if newCount > 0 {
            try await fixture.insert(made(10_000..<10_000 + newCount), "c")
        }
        let memory = 1 << (14 + random.below(8))
        let report = try await preview(fixture) { $0.memoryByteCount = memory }
        let found = try #require(report.entries.first?.difference)
        #expect(
            found.onlyInFirstCount == expected.insert
                && found.differingCount == expected.overwrite
                && found.equalCount == expected.equal && found.onlyInSecondCount == newCount,
            "seed \(seed): \(found)")
        try await fixture.drop()
    }
}
