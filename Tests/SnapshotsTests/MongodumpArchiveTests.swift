import ArchiveFormat
import BSONBytes
import Foundation
import Snapshots
import Testing

/// Archives that mongodump 100.18 wrote, with digests of the documents in them.
@Suite(.needsServer, .serialized) struct MongodumpArchiveTests {
    struct Expected: Decodable {
        var documents: Int?
        var indexes: [String]?
        var sha256_of_sorted_document_sha256: String?
        var type: String
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/mongodump-100.18")

    static let expected: [String: Expected] = {
        do {
            return try JSONDecoder().decode(
                [String: Expected].self,
                from: Data(contentsOf: folder.appending(path: "expected.json")))
        } catch {
            preconditionFailure("expected.json is readable: \(error)")
        }
    }()

    @Test(arguments: [
        ("clinic.archive", ["clinic"]), ("clinic.archive.gz", ["clinic"]),
        ("types.archive", ["types"]), ("odd-names.archive", ["wéird-db"]),
        ("full-oplog.archive.gz", ["clinic", "large", "types", "wéird-db"]),
    ])
    func everyArchiveComesBackExactly(_ file: String, _ databases: [String]) async throws {
        let fixture = try await SnapshotFixture.shared()
        let path = Self.folder.appending(path: file).path
        // Twice: into nothing, and over what is there.
        for _ in 0..<2 {
            let report = try await fixture.restore(.file(path))
            #expect(report.outcome.failedCount == 0)
            for database in databases { try await check(fixture, database) }
        }
        // And a merge into what is there changes nothing.
        let merged = try await fixture.restore(.file(path), .merge)
        #expect(
            merged.outcome.insertedCount
                == merged.entries.filter { $0.source.database == "admin" }
                .reduce(0) { $0 + $1.outcome.insertedCount })
        #expect(merged.outcome.overwrittenCount == 0)
        #expect(merged.outcome.failedCount == 0)
        for database in databases { try await check(fixture, database) }
        for database in databases { try await fixture.drop(database) }
    }

    private func check(_ fixture: SnapshotFixture, _ database: String) async throws {
        let state = try await fixture.state(database)
        for (name, expected) in Self.expected where name.hasPrefix(database + ".") {
            let collection = try #require(
                state.collections[String(name.dropFirst(database.count + 1))], "\(name)")
            #expect(collection.type == expected.type, "\(name)")
            if let digest = expected.sha256_of_sorted_document_sha256 {
                #expect(collection.documents.count == expected.documents, "\(name)")
                #expect(Self.digest(collection.documents) == digest, "\(name)")
            }
            if let indexes = expected.indexes, !indexes.isEmpty {
                let names = try collection.indexes.map { try $0.require("name", \.string) }
                #expect(names.sorted() == indexes.sorted(), "\(name)")
            }
        }
        #expect(try await fixture.names().filter { $0.hasPrefix("cairn") } == [])
    }

    private static func digest(_ documents: [BSONDocument]) -> String {
        let digests = documents.map { SHA256Digest(of: $0.bytes).description }.sorted()
        return SHA256Digest(of: Array(digests.joined(separator: "\n").utf8)).description
    }
}
