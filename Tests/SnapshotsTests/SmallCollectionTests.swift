import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

/// Many small collections share chunks and are loaded in transactions.
@Suite(.needsServer) struct SmallCollectionTests {
    private static func make(_ fixture: SnapshotFixture) async throws {
        for number in 0..<105 {
            let name = "tenant \(number)"
            if number % 7 == 0 { try await fixture.create(name, CollectionOptions.caseInsensitive) }
            if number % 10 == 1, number % 7 != 0 {
                try await fixture.create(name)
            } else {
                try await fixture.insert((0..<Int32(number % 5 + 1)).map { document($0) }, name)
            }
            if number % 4 == 0 { try await fixture.createIndex("n", on: "n", of: name) }
        }
        // What no transaction stores exactly on this server, and what none makes.
        let empty = BSONTimestamp(rawValue: 0)
        try await fixture.storeExactly([document(1) { $0.append("t", empty) }], "timestamps")
        try await fixture.create("capped", CollectionOptions.capped)
        try await fixture.insert([document(1)], "capped")
    }

    private static func committedTransactionCount(_ fixture: SnapshotFixture) async throws -> Int {
        let command = BSONDocument { $0.append("serverStatus", Int32(1)) }
        let status = try await fixture.pool.withConnection {
            try await $0.run(command, on: "admin")
        }
        let transactions = try status.first("transactions")?.document
        return try #require(try transactions?.first("totalCommitted")?.wholeNumber)
    }

    @Test func theyComeBackIntoNothing() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await Self.make(fixture)
        let before = try await fixture.state()
        try await fixture.backup()
        try await fixture.drop()
        let observer = RecordingObserver()
        let committedCount = try await Self.committedTransactionCount(fixture)
        let report = try await fixture.restore(observer: observer)
        #expect(try await fixture.state() == before)
        // 105 collections, 27 or fewer together.
        #expect(try await Self.committedTransactionCount(fixture) >= committedCount + 4)
        #expect(report.outcome.insertedCount == report.outcome.documentCount)
        #expect(report.entries.count == 107)
        #expect(observer.notices.isEmpty, "\(observer.notices)")
        try await fixture.drop()
    }

    @Test func theyReplaceWhatIsLive() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await Self.make(fixture)
        let before = try await fixture.state()
        try await fixture.backup()
        for number in stride(from: 0, to: 105, by: 3) {
            try await fixture.insert([document(77)], "tenant \(number)")
        }
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        #expect(try await fixture.names().allSatisfy { !$0.hasPrefix("cairn.staging") })
        try await fixture.drop()
    }

    @Test func aRestoreThatIsCancelledWhenAllIsLoadedLeavesEverythingAsItWas() async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert([document(1), document(2)], "c")
        try await fixture.insert([document(1)], "other")
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.insert([document(5)], "c")
        let before = try await fixture.state()
        let cancelled = RecordingObserver { progress in
            if progress.phase == .comparing { withUnsafeCurrentTask { $0?.cancel() } }
        }
        await #expect(throws: (any Error).self) {
            try await Task { try await fixture.restore(observer: cancelled) }.value
        }
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    @Test func aTransactionThatFailsHasDoneNothing() async throws {
        struct Failure: Error {}
        let fixture = try await SnapshotFixture.shared()
        let database = fixture.database
        await #expect(throws: Failure.self) {
            try await fixture.pool.withConnection { connection in
                try await connection.withTransaction { transaction in
                    let create = BSONDocument { $0.append("create", "c") }
                    _ = try await transaction.run(create, on: database)
                    try await transaction.insert(
                        document(1).bytes[...], into: "c", on: database, options: InsertOptions())
                    throw Failure()
                }
            }
        }
        #expect(try await fixture.names().isEmpty)
    }

    @Test func standaloneServersHaveNoTransactions() async throws {
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        let server = try await PrivateServer(options)
        let fixture = try await SnapshotFixture(server)
        try await Self.make(fixture)
        let before = try await fixture.state()
        try await fixture.backup()
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await server.stop()
    }
}

/// Comparing a collection with two cursors that meet.
@Suite(.needsServer) struct BothEndsTests {
    @Test(arguments: [0, 1, 63, 64, 65, 5000])
    func theyFindWhatOneCursorFinds(_ count: Int) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.create("c")
        let padding = String(repeating: "x", count: 2000)
        try await fixture.insert(
            (0..<Int32(count)).map { document($0) { $0.append("padding", padding) } }, "c")
        let stored = StoredDocuments(
            namespace: Namespace(fixture.database, "c"), pool: fixture.pool)
        let one = try await stored.totals()
        #expect(one.documentCount == UInt64(count))
        for _ in 0..<3 {
            #expect(try await stored.totalsFromBothEnds(expecting: UInt64(count)) == one)
        }
        // One too many and one too few are never taken for the right number.
        for wrong in [count - 1, count + 1] where wrong >= 0 {
            #expect(try await stored.totalsFromBothEnds(expecting: UInt64(wrong)) == nil)
        }
        try await fixture.drop()
    }
}
