import BSONBytes
import MongoDriver
import Testing

extension ServerTests {
    @Suite struct CatalogTests {
        @Test func theServerIntroducesItself() async throws {
            try await withDatabase { connection, _ in
                let info = try await connection.serverInfo()
                #expect(info.role == .replicaSetMember)
                #expect(info.setName == "rs0")
                #expect(info.version >= ServerInfo.Version(4, 4))
                #expect(info.documentByteCountMax == BSONLimits.documentByteCountMax)
                #expect(info.writeBatchCountMax == InsertOptions.documentCountLimit)
                #expect(info.messageByteCountMax == 48_000_000)
                #expect(info.host?.hasPrefix("127.0.0.1:") == true)
            }
        }

        @Test func listingsAreCompleteOverAllBatches() async throws {
            try await withDatabase { connection, database in
                let names = Set((0..<230).map { "collection number \($0)" })
                for name in names { try await connection.createCollection(name, in: database) }
                let found = try await connection.collections(in: database)
                #expect(found.count == names.count)
                #expect(Set(found.map(\.name)) == names)
                #expect(found.allSatisfy { $0.uuid?.count == 16 && $0.type == "collection" })
            }
        }

        @Test func namesMayBeAlmostAnything() async throws {
            try await withDatabase { connection, database in
                let names = [
                    "with.dots..twice", "ends.", "größe", "日本語", "emoji 🗄️", " ", "%41", "a/b\\c",
                    "line\nbreak", "quote\"'", String(repeating: "n", count: 200),
                ]
                let documents = makeDocuments(20)
                for name in names {
                    _ = try await connection.insert(
                        run(of: documents), into: name, on: database, options: InsertOptions())
                    var request = FindRequest(database: database, collection: name)
                    request.batchDocumentCount = 7
                    #expect(try await connection.withCursor(request, drain).documents == documents)
                    #expect(try await connection.indexes(of: name, in: database).count == 1)
                }
                let found = try await connection.collections(in: database).map(\.name)
                #expect(Set(found) == Set(names))
                #expect(try await connection.databaseNames().contains(database))
            }
        }

        @Test func optionsViewsAndIndexesComeBackAsTheyWere() async throws {
            try await withDatabase { connection, database in
                let capped = BSONDocument {
                    $0.append("capped", true)
                    $0.append("size", Int32(4096))
                }
                try await connection.createCollection("capped", in: database, options: capped)
                let view = BSONDocument {
                    $0.append("viewOn", "capped")
                    $0.append("pipeline", array: [BSONDocument]())
                }
                try await connection.createCollection("view", in: database, options: view)
                let found = try await connection.collections(in: database)
                let cappedInfo = try #require(found.first { $0.name == "capped" })
                #expect(try cappedInfo.options.first("capped")?.bool == true)
                let viewInfo = try #require(found.first { $0.name == "view" })
                #expect(viewInfo.type == "view" && viewInfo.isReadOnly && viewInfo.uuid == nil)

                let index = BSONDocument {
                    $0.append("v", Int32(2))
                    $0.append("key", BSONDocument { $0.append("größe", Int32(-1)) })
                    $0.append("name", "groß")
                    $0.append("unique", true)
                }
                try await connection.createIndexes([index], of: "capped", in: database)
                let indexes = try await connection.indexes(of: "capped", in: database)
                #expect(indexes.count == 2)
                #expect(try indexes[0].first("name")?.string == "_id_")
                #expect(try indexes[1].first("name")?.string == "groß")
            }
        }

        @Test func aMissingCollectionSaysSo() async throws {
            try await withDatabase { connection, database in
                let error = await #expect(throws: MongoError.self) {
                    try await connection.indexes(of: "none", in: database)
                }
                #expect(error?.code == .namespaceNotFound)
                #expect(error?.serverCode == 26)
                #expect(error?.codeName == "NamespaceNotFound")
                try await connection.dropCollection("none", in: database)
                let request = FindRequest(database: database, collection: "none")
                #expect(try await connection.withCursor(request, drain).documents.isEmpty)
                let statistics = try await connection.statistics(of: "none", in: database)
                #expect(statistics.documentCount == 0)
            }
        }

        @Test func renamingReplacesOnlyWhenToldTo() async throws {
            try await withDatabase { connection, database in
                for name in ["a", "b"] {
                    _ = try await connection.insert(
                        run(of: makeDocuments(name == "a" ? 3 : 5)), into: name, on: database,
                        options: InsertOptions())
                }
                let error = await #expect(throws: MongoError.self) {
                    try await connection.renameCollection(
                        from: "\(database).a", to: "\(database).b", dropTarget: false)
                }
                #expect(error?.code == .namespaceExists)
                try await connection.renameCollection(
                    from: "\(database).a", to: "\(database).b", dropTarget: true)
                #expect(try await connection.statistics(of: "b", in: database).documentCount == 3)
                #expect(try await connection.collections(in: database).map(\.name) == ["b"])
            }
        }
    }
}
