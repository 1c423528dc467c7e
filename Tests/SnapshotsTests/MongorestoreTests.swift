import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

/// What is on a server that an unmodified mongorestore shall bring back.
enum ForeignScenario: String, CaseIterable, Sendable {
    case everyKindOfCollection
    case wholeServerWithUsers
    case thousandTinyCollections
    case oneCollectionInManyChunks
    case chunksOfDefaultSize
    case largestDocuments

    /// Whole servers are backed up as such, others by their database.
    var isWholeServer: Bool { self == .wholeServerWithUsers }

    var chunkByteCount: Int {
        self == .chunksOfDefaultSize
            ? ArchiveLimits.chunkTargetByteCountDefault : ArchiveLimits.chunkTargetByteCountMin
    }

    func make(_ fixture: SnapshotFixture) async throws {
        switch self {
        case .everyKindOfCollection: try await CollectionKinds.make(fixture)
        case .wholeServerWithUsers:
            try await CollectionKinds.make(fixture)
            try await Self.makeUsers(fixture)
        case .thousandTinyCollections:
            for number in 0..<1000 {
                let documents = (0..<number % 4).map { CollectionKinds.numbered(Int32($0)) }
                if documents.isEmpty { try await fixture.create("tiny\(number)") }
                if !documents.isEmpty { try await fixture.insert(documents, "tiny\(number)") }
            }
        case .oneCollectionInManyChunks: try await Self.insertSample(10_000, fixture)
        case .chunksOfDefaultSize: try await Self.insertSample(60_000, fixture)
        case .largestDocuments:
            for number in 0..<4 {
                // 16 MiB less what the document wraps around the text.
                let count = BSONLimits.documentByteCountMax - 31
                let document = CollectionKinds.numbered(
                    Int32(number), String(repeating: "\(number)", count: count))
                try await fixture.insert([document], "large")
            }
        }
    }

    private static func insertSample(_ count: Int, _ fixture: SnapshotFixture) async throws {
        for collection in SampleDataSet(seed: 7, documentCount: count).collections {
            try await fixture.create(collection.name, collection.options)
            try await fixture.pool.withConnection { connection in
                _ = try await connection.insert(
                    collection.documents(0..<collection.documentCount)[...],
                    into: collection.name, on: fixture.database, options: InsertOptions())
                try await connection.createIndexes(
                    collection.indexes, of: collection.name, in: fixture.database)
            }
        }
    }

    private static func makeUsers(_ fixture: SnapshotFixture) async throws {
        let privilege = BSONDocument {
            $0.append(
                "resource",
                BSONDocument {
                    $0.append("db", fixture.database)
                    $0.append("collection", "indexed")
                })
            $0.append("actions", array: ["find"])
        }
        try await fixture.command(
            BSONDocument {
                $0.append("createRole", "looker")
                $0.append("privileges", array: [privilege])
                $0.append("roles", array: [BSONDocument]())
            })
        for database in ["admin", fixture.database] {
            let role = BSONDocument {
                $0.append("role", "looker")
                $0.append("db", fixture.database)
            }
            try await fixture.command(
                BSONDocument {
                    $0.append("createUser", "visitor")
                    $0.append("pwd", "not a secret")
                    $0.append("roles", array: [role])
                }, on: database)
        }
    }
}

/// That the promise "no lock-in" holds: archives of ours are restored by MongoDB's own tool.
@Suite(.needsServer, .needsMongorestore, .serialized) struct MongorestoreTests {
    @Test(arguments: ForeignScenario.allCases, Mongorestore.all)
    func anArchiveComesBackExactly(
        _ scenario: ForeignScenario, _ mongorestore: Mongorestore
    ) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await scenario.make(fixture)
        let before = try await fixture.state()
        let usersBefore = try await users(fixture)
        let report = try await fixture.backup(
            chunk: scenario.chunkByteCount,
            filter: scenario.isWholeServer ? NamespaceFilter() : nil)
        let archive = fixture.folder.path + "/" + (try #require(report.place))
        let (status, output) = try await Shell.run("gzip -t '\(archive)'")
        #expect(status == 0 && output.isEmpty, "gzip -t: \(output)")
        let defects = try await mongorestore.ownDefects()
        // Into nothing, then over what is there.
        try await fixture.drop()
        try await dropUsers(fixture)
        for throughPipe in [false, true] {
            try await mongorestore.restore(archive, to: server, throughPipe: throughPipe)
            let differences = try await fixture.state().differences(from: before)
            #expect(differences.filter { !defects.contains($0) } == [])
            #expect(try await users(fixture) == usersBefore)
        }
        try await server.stop()
    }

    private func users(_ fixture: SnapshotFixture) async throws -> [BSONDocument] {
        let documents =
            try await fixture.documents("system.users", in: "admin")
            + fixture.documents("system.roles", in: "admin")
        return documents.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    private func dropUsers(_ fixture: SnapshotFixture) async throws {
        for database in ["admin", fixture.database] {
            for command in ["dropAllUsersFromDatabase", "dropAllRolesFromDatabase"] {
                try await fixture.command(
                    BSONDocument { $0.append(command, Int32(1)) }, on: database)
            }
        }
    }
}

extension SnapshotFixture.State {
    /// What is not as it was. mongorestore builds indexes in an order of its own, so theirs does
    /// not count.
    func differences(from original: Self) throws -> [String] {
        var found: [String] = []
        for name in Set(collections.keys).union(original.collections.keys).sorted() {
            guard let before = original.collections[name], let now = collections[name] else {
                found.append("\(name) is \(collections[name] == nil ? "gone" : "new")")
                continue
            }
            if now.type != before.type { found.append("\(name): type \(now.type)") }
            if now.options != before.options { found.append("\(name): options") }
            if now.documents != before.documents {
                found.append("\(name): documents (\(now.documents.count))")
            }
            for index in Set(now.indexes).symmetricDifference(before.indexes) {
                found.append("\(name): index \(try index.first("name")?.string ?? "")")
            }
            if now.indexes.count != before.indexes.count { found.append("\(name): index count") }
        }
        return found
    }
}
