import BSONBytes
import MongoDriver
import SampleData
import Snapshots
import Testing

/// A replace that writes only the difference.
@Suite(.needsServer) struct InPlaceTests {
    private func made(_ numbers: Range<Int>, _ text: String = "snapshot") -> [BSONDocument] {
        numbers.map { number in
            document(Int32(number)) {
                $0.append("text", "\(text) \(number)")
                $0.append("unique", Int32(number))
            }
        }
    }

    private func id(_ number: Int32) throws -> BSONValue {
        try BSONValue.made { $0.append("", number) }
    }

    private func index(
        _ field: String, _ adjust: (inout BSONBuilder) -> Void = { _ in }
    ) -> BSONDocument {
        BSONDocument {
            $0.append("v", Int32(2))
            $0.append("key", BSONDocument { $0.append(field, Int32(1)) })
            $0.append("name", "\(field)_1")
            adjust(&$0)
        }
    }

    private func createIndex(_ index: BSONDocument, _ fixture: SnapshotFixture) async throws {
        try await fixture.pool.withConnection { connection in
            try await connection.createIndexes([index], of: "c", in: fixture.database)
        }
    }

    private func restore(
        _ fixture: SnapshotFixture, observer: RecordingObserver = RecordingObserver()
    ) async throws -> LoadOutcome {
        try await fixture.restore(observer: observer) { $0.isInPlace = true }.outcome
    }

    @Test func onlyTheDifferenceIsWritten() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(made(0..<500), "c")
        try await createIndex(index("text"), fixture)
        try await fixture.backup()
        let expected = try await fixture.state()
        for number: Int32 in 0..<10 { try await fixture.delete(id(number), "c") }
        for number: Int32 in 10..<17 {
            try await fixture.replace(id(number), by: document(number), "c")
        }
        try await fixture.insert(made(1000..<1005), "c")
        let start = try #require(
            try await fixture.pool.withConnection { try await $0.operationTime() })
        let outcome = try await restore(fixture)
        #expect(outcome.insertedCount == 10 && outcome.overwrittenCount == 7)
        #expect(outcome.deletedCount == 5 && outcome.equalCount == 483)
        #expect(outcome.documentCount == 500)
        #expect(try await fixture.state() == expected)
        #expect(try await fixture.writeCount(since: start) == 22)
        // Nothing at all when all is equal.
        let again = try #require(
            try await fixture.pool.withConnection { try await $0.operationTime() })
        #expect(try await restore(fixture).equalCount == 500)
        #expect(try await fixture.writeCount(since: again) == 0)
        try await fixture.drop()
    }

    @Test func indexesBecomeThoseOfTheSnapshot() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(made(0..<50), "c")
        try await createIndex(index("text"), fixture)
        try await createIndex(index("unique") { $0.append("unique", true) }, fixture)
        try await createIndex(
            index("at") { $0.append("expireAfterSeconds", Int32(3600)) }, fixture)
        try await fixture.insert(
            [100, 101].map { number in
                document(number) {
                    $0.append("unique", number)
                    $0.append("tag", "same")
                }
            }, "c")
        try await fixture.backup()
        let expected = try await fixture.state()
        for name in ["text_1", "unique_1"] {
            try await fixture.pool.withConnection { connection in
                try await connection.dropIndex(name, of: "c", in: fixture.database)
            }
        }
        try await createIndex(index("text") { $0.append("sparse", true) }, fixture)
        try await fixture.replace(id(3), by: document(3), "c")
        // It would refuse a document of the snapshot.
        try await fixture.delete(id(101), "c")
        let refusing = index("tag") {
            $0.append("unique", true)
            $0.append("sparse", true)
        }
        try await createIndex(refusing, fixture)
        let observer = RecordingObserver()
        _ = try await restore(fixture, observer: observer)
        #expect(observer.notices == [])
        #expect(try await sorted(fixture.state()) == sorted(expected))
        try await fixture.drop()
    }

    /// Indexes by name: those that were built anew come last.
    private func sorted(_ state: SnapshotFixture.State) throws -> SnapshotFixture.State {
        var state = state
        for (name, collection) in state.collections {
            state.collections[name]?.indexes = try collection.indexes.sorted {
                try $0.first("name")?.string ?? "" < $1.first("name")?.string ?? ""
            }
        }
        return state
    }

    /// Documents that hold each other's unique keys can't be exchanged one by one.
    @Test func swappedUniqueKeysComeBackAllTheSame() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await createIndex(index("unique") { $0.append("unique", true) }, fixture)
        try await fixture.insert(made(0..<50), "c")
        try await fixture.backup()
        let expected = try await fixture.state()
        for number: Int32 in [1, 2] { try await fixture.delete(id(number), "c") }
        for number: Int32 in [1, 2] {
            try await fixture.insert(
                [document(number) { $0.append("unique", 3 - number) }], "c")
        }
        let observer = RecordingObserver()
        _ = try await restore(fixture, observer: observer)
        #expect(try await fixture.state() == expected)
        #expect(observer.notices.contains { $0.contains("loaded beside") })
        try await fixture.drop()
    }

    @Test func whatCannotBePatchedIsReplaced() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await CollectionKinds.make(fixture)
        try await fixture.insert(made(0..<50), "c")
        try await fixture.backup()
        let expected = try await fixture.state()
        try await fixture.command(
            BSONDocument {
                $0.append("collMod", "c")
                $0.append("validationLevel", "moderate")
            })
        try await fixture.replace(id(3), by: document(3), "c")
        _ = try await restore(fixture)
        #expect(try await fixture.state() == expected)
        try await fixture.drop()
        _ = try await restore(fixture)
        #expect(try await fixture.state() == expected)
        try await fixture.drop()
    }

    @Test func oneWithACollationIsOnlyLoadedWhenItDiffers() async throws {
        let fixture = try await SnapshotFixture.shared()
        let collation = BSONDocument { $0.append("locale", "en") }
        try await fixture.create("c", BSONDocument { $0.append("collation", collation) })
        try await fixture.insert(made(0..<50), "c")
        try await fixture.backup()
        let expected = try await fixture.state()
        let start = try #require(
            try await fixture.pool.withConnection { try await $0.operationTime() })
        #expect(try await restore(fixture).equalCount == 50)
        #expect(try await fixture.writeCount(since: start) == 0)
        try await fixture.replace(id(3), by: document(3), "c")
        #expect(try await restore(fixture).insertedCount == 50)
        #expect(try await fixture.state() == expected)
        try await fixture.drop()
    }

    @Test func aDamagedArchiveWritesNothing() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(made(0..<20_000), "c")
        try await fixture.backup()
        try await fixture.delete(id(0), "c")
        let before = try await fixture.state()
        let key = try #require(try fixture.folder.contents.first)
        let path = fixture.folder.path + "/" + key
        var bytes = try fixture.folder.bytes(path)
        bytes[bytes.count / 2] ^= 1
        _ = try fixture.folder.file(key, bytes)
        await #expect(throws: (any Error).self) { _ = try await restore(fixture) }
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }
}
