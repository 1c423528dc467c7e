import BSONBytes
import MongoDriver
import Snapshots
import Testing

@Suite(.needsServer) struct MergeTests {
    private func value(_ build: (inout BSONBuilder) -> Void) throws -> BSONValue {
        try BSONValue.made(build)
    }

    private func id(_ number: Int32) throws -> BSONValue { try value { $0.append("", number) } }

    /// Archive and live content of one collection, merged.
    private func merge(
        _ archived: [BSONDocument], over live: [BSONDocument],
        options: BSONDocument = BSONDocument(), expecting expected: [BSONDocument],
        prepare: (SnapshotFixture) async throws -> Void = { _ in }
    ) async throws -> LoadOutcome {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("c", options)
        try await fixture.insert(archived, "c")
        try await fixture.backup()
        try await fixture.dropCollection("c")
        try await fixture.create("c", options)
        try await prepare(fixture)
        try await fixture.insert(live, "c")
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(try await fixture.documents("c").inByteOrder == expected.inByteOrder)
        #expect(outcome.documentCount == UInt64(archived.count))
        #expect(
            outcome.documentCount == outcome.insertedCount + outcome.overwrittenCount
                + outcome.equalCount + outcome.failedCount)
        try await fixture.drop()
        return outcome
    }

    @Test func onlyWhatIsMissingOrDiffersIsWritten() async throws {
        let fixture = try await SnapshotFixture.shared()
        let archived = (0..<100).map { number in
            document(Int32(number)) {
                $0.append("a", Int32(1))
                $0.append("b", "two")
            }
        }
        try await fixture.insert(archived, "c")
        try await fixture.backup()
        for number: Int32 in 0..<10 { try await fixture.delete(id(number), "c") }
        for number: Int32 in 10..<17 {
            try await fixture.replace(id(number), by: document(number), "c")
        }
        for number: Int32 in 17..<20 {
            let reordered = document(number) {
                $0.append("b", "two")
                $0.append("a", Int32(1))
            }
            try await fixture.replace(id(number), by: reordered, "c")
        }
        let extra = (1000..<1005).map { document(Int32($0)) }
        try await fixture.insert(extra, "c")
        let start = try #require(
            try await fixture.pool.withConnection { try await $0.operationTime() })
        let outcome = try await fixture.restore(nil, .merge).outcome
        #expect(outcome.insertedCount == 10)
        #expect(outcome.overwrittenCount == 10)
        #expect(outcome.equalCount == 80)
        #expect(outcome.failedCount == 0)
        #expect(
            try await fixture.documents("c").inByteOrder == (archived + extra).inByteOrder)
        // The server's own record of writes: twenty, and none for what was equal.
        #expect(try await fixture.writeCount(since: start) == 20)
        try await fixture.drop()
    }

    @Test func whatDiffersIsKeptWhenAsked() async throws {
        let fixture = try await SnapshotFixture.shared()
        let archived = (0..<100).map { number in
            document(Int32(number)) { $0.append("a", Int32(1)) }
        }
        try await fixture.insert(archived, "c")
        try await fixture.backup()
        for number: Int32 in 0..<10 { try await fixture.delete(id(number), "c") }
        let differing = (10..<30).map { document(Int32($0)) { $0.append("a", Int32(2)) } }
        for (position, other) in differing.enumerated() {
            try await fixture.replace(id(Int32(10 + position)), by: other, "c")
        }
        let start = try #require(
            try await fixture.pool.withConnection { try await $0.operationTime() })
        let outcome = try await fixture.restore(nil, .merge) { $0.conflictRule = .keep }.outcome
        #expect(outcome.insertedCount == 10)
        #expect(outcome.overwrittenCount == 0)
        #expect(outcome.keptCount == 20)
        #expect(outcome.equalCount == 70)
        let expected = archived[..<10] + differing + archived[30...]
        #expect(try await fixture.documents("c").inByteOrder == Array(expected).inByteOrder)
        #expect(try await fixture.writeCount(since: start) == 10)
        try await fixture.drop()
    }

    @Test func aViewThatDiffersIsKeptToo() async throws {
        let fixture = try await SnapshotFixture.shared()
        func view(_ on: String) -> BSONDocument {
            BSONDocument {
                $0.append("viewOn", on)
                $0.append("pipeline", array: [BSONDocument]())
            }
        }
        try await fixture.create("v", view("a"))
        try await fixture.backup()
        try await fixture.dropCollection("v")
        try await fixture.create("v", view("b"))
        let before = try await fixture.state()
        let observer = RecordingObserver()
        try await fixture.restore(nil, .merge, observer: observer) { $0.conflictRule = .keep }
        #expect(try await fixture.state() == before)
        #expect(observer.notices.contains { $0.contains("differs and was kept") })
        try await fixture.drop()
    }

    /// A number is the same `_id` in any numeric type, though not the same bytes.
    @Test func anEqualIDOfAnotherTypeIsAConflictToo() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([BSONDocument { $0.append("_id", Int64(1)) }], "c")
        try await fixture.backup()
        try await fixture.dropCollection("c")
        let live = BSONDocument {
            $0.append("_id", 1.0)
            $0.append("a", "live")
        }
        try await fixture.insert([live], "c")
        let outcome = try await fixture.restore(nil, .merge) { $0.conflictRule = .keep }.outcome
        #expect(outcome.keptCount == 1 && outcome.failedCount == 0)
        #expect(try await fixture.documents("c") == [live])
        try await fixture.drop()
    }

    @Test func identifiersThatAreEqualNumbersOfOtherTypesAreTheSame() async throws {
        let archived = try [
            document(1) { $0.append("a", true) },
            document(id: value { $0.append("", Int64(2)) }),
            document(id: value { $0.append("", 3.0) }) { $0.append("a", true) },
        ]
        let live = try [
            document(id: value { $0.append("", 1.0) }), document(2), document(3),
        ]
        let outcome = try await merge(archived, over: live, expecting: archived)
        #expect(outcome.overwrittenCount == 3)
    }

    @Test func identifiersThatOnlyACollationTakesForEqualAreTheSame() async throws {
        let archived = try [document(id: value { $0.append("", "A") }) { $0.append("a", true) }]
        let live = try [document(id: value { $0.append("", "a") })]
        let outcome = try await merge(
            archived, over: live, options: CollectionOptions.caseInsensitive,
            expecting: archived)
        #expect(outcome.overwrittenCount == 1)
    }

    @Test func namesWithDollarsAndDoubleNamesAreOverwritten() async throws {
        let archived = [
            document(1) {
                $0.append("$set", Int32(1))
                $0.append("x", Int32(1))
                $0.append("x", Int32(2))
            },
            document(2) {
                $0.append("x", Int32(1))
                $0.append("x", Int32(2))
                $0.append("", Int32(1))
                $0.append("a.b", Int32(1))
            },
        ]
        let live = [
            document(1) {
                $0.append("x", Int32(2))
                $0.append("x", Int32(1))
            },
            document(2) {
                $0.append("x", Int32(7))
                $0.append("x", Int32(8))
            },
        ]
        let outcome = try await merge(archived, over: live, expecting: archived)
        #expect(outcome.overwrittenCount == 2)
    }

    @Test func aValidatorIsBypassed() async throws {
        let archived = (0..<3).map { number in
            document(number) { $0.append("text", "not a number") }
        }
        let rule = BSONDocument {
            $0.append("collMod", "c")
            $0.append(
                "validator",
                BSONDocument { $0.append("text", BSONDocument { $0.append("$type", "int") }) })
        }
        let outcome = try await merge(
            archived, over: [document(1) { $0.append("text", Int32(1)) }], expecting: archived,
            prepare: { try await $0.command(rule) })
        #expect(outcome.insertedCount == 2)
        #expect(outcome.overwrittenCount == 1)
    }

    private func unique(_ id: Int32, _ number: Int32) -> BSONDocument {
        document(id) { $0.append("u", number) }
    }

    @Test func aConflictInAUniqueIndexIsCountedAndTheRestGoesOn() async throws {
        let outcome = try await merge(
            [unique(1, 1), unique(2, 2), unique(3, 3), unique(4, 8)],
            over: [unique(9, 1), unique(2, 7), unique(8, 8), unique(4, 4)],
            expecting: [unique(9, 1), unique(2, 2), unique(3, 3), unique(8, 8), unique(4, 4)],
            prepare: { try await $0.createIndex("u", on: "u", of: "c", unique: true) })
        #expect(outcome.failedCount == 2)
        #expect(outcome.insertedCount == 1)
        #expect(outcome.overwrittenCount == 1)
        let failure = try #require(outcome.firstFailure)
        #expect(failure.contains(".c: "))
        #expect(!failure.contains("dup key: {"))
    }

    @Test func anIndexThatLiveDocumentsDoNotAllowIsNoticedAndTheRestGoesOn() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([unique(1, 1)], "c")
        try await fixture.createIndex("u", on: "u", of: "c", unique: true)
        try await fixture.insert([unique(1, 1)], "d")
        try await fixture.backup()
        try await fixture.dropCollection("c")
        try await fixture.dropCollection("d")
        try await fixture.insert([unique(8, 5), unique(9, 5)], "c")
        let observer = RecordingObserver()
        let outcome = try await fixture.restore(nil, .merge, observer: observer).outcome
        #expect(outcome.insertedCount == 2)
        #expect(outcome.failedCount == 0)
        #expect(observer.notices.count == 1, "\(observer.notices)")
        #expect(observer.notices.first?.contains("\(fixture.database).c") == true)
        #expect(
            try await fixture.documents("c").inByteOrder
                == [unique(1, 1), unique(8, 5), unique(9, 5)].inByteOrder)
        try await fixture.drop()
    }

    /// Where a document can only be exchanged by removing the old one first, a refusal of the new
    /// one must not cost the old one.
    @Test func aDocumentThatCannotBeExchangedStays() async throws {
        let live = try [
            document(id: value { $0.append("", 1.0) }) { $0.append("u", Int32(1)) },
            unique(2, 2), unique(3, 3),
        ]
        let archived = [
            unique(1, 2),
            document(3) {
                $0.append("u", Int32(2))
                $0.append("$dollar", true)
            },
        ]
        let outcome = try await merge(
            archived, over: live, expecting: live,
            prepare: { try await $0.createIndex("u", on: "u", of: "c", unique: true) })
        #expect(outcome.failedCount == 2)
    }
}
