import BSONBytes
import DocumentQuery
import ExtendedJSON
import MongoDriver
import PrivateServer
import Testing

/// Random filters, evaluated here and by a server.
@Suite(.needsServer) struct FilterModelTests {
    private static let documentCount = 250
    private static let filterCount = 3000

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func findsWhatAServerFinds(seed: UInt64) async throws {
        print("FilterModelTests: seed \(seed)")
        var random = try RandomFilters(seed: seed)
        let fixture = try await SnapshotFixture.shared()
        let documents = (0..<Self.documentCount).map { random.document(Int32($0)) }
        try await fixture.insert(documents, "c")
        var refusedCount = 0
        var foundCount = 0
        for _ in 0..<Self.filterCount {
            let filter = random.filter()
            let text = try ExtendedJSONWriter().text(of: filter)
            let expected = try await Self.ask(fixture, filter)
            let found = Self.search(documents, filter)
            if expected == nil { refusedCount += 1 }
            foundCount += found?.count ?? 0
            guard found != expected else { continue }
            Issue.record("seed \(seed): \(text): \(Self.difference(documents, found, expected))")
        }
        // Filters that are all refused, or find nothing, would prove nothing.
        #expect(refusedCount < Self.filterCount / 3)
        #expect(foundCount > Self.filterCount)
        try await fixture.drop()
    }

    /// The `_id`s that a server finds; nil when it refuses the filter.
    private static func ask(
        _ fixture: SnapshotFixture, _ filter: BSONDocument
    ) async throws -> Set<Int32>? {
        var request = FindRequest(database: fixture.database, collection: "c")
        request.filter = filter
        request.projection = BSONDocument { $0.append("_id", Int32(1)) }
        do {
            return try await fixture.pool.withConnection { [request] connection in
                try await connection.withCursor(request) { cursor in
                    var ids: Set<Int32> = []
                    while let batch = try await cursor.nextBatch() {
                        for document in try batch.documents() {
                            ids.insert(try document.require("_id", \.int32))
                        }
                    }
                    return ids
                }
            }
        } catch let error as MongoError where error.code == .command {
            return nil
        }
    }

    private static func search(
        _ documents: [BSONDocument], _ filter: BSONDocument
    ) -> Set<Int32>? {
        do {
            let matcher = try DocumentFilter(filter).matcher()
            let found = try documents.enumerated().filter { _, document in
                try document.bytes.withUnsafeBytes { try matcher.matches($0) }
            }
            return Set(found.map { Int32($0.offset) })
        } catch {
            return nil
        }
    }

    private static func difference(
        _ documents: [BSONDocument], _ found: Set<Int32>?, _ expected: Set<Int32>?
    ) -> String {
        guard let found, let expected else {
            return found == nil ? "is refused here only" : "is refused by the server only"
        }
        let writer = ExtendedJSONWriter()
        let texts = found.symmetricDifference(expected).sorted().prefix(2).map { id in
            let text = (try? writer.text(of: documents[Int(id)])) ?? "?"
            return (found.contains(id) ? "found here only: " : "found by the server only: ") + text
        }
        return texts.joined(separator: "; ")
    }
}
