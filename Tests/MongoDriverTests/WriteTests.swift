import BSONBytes
import MongoDriver
import Testing

extension ServerTests {
    @Suite struct WriteTests {
        /// A document of exactly so many bytes.
        private func document(byteCount: Int) -> BSONDocument {
            let empty = BSONDocument {
                $0.append("_id", Int32(1))
                $0.append("p", binary: [], subtype: 0)
            }
            return BSONDocument {
                $0.append("_id", Int32(1))
                $0.append(
                    "p", binary: [UInt8](repeating: 9, count: byteCount - empty.bytes.count),
                    subtype: 0)
            }
        }

        private func roundTrip(
            _ documents: [BSONDocument], _ connection: MongoConnection, _ database: String
        ) async throws -> [BSONDocument] {
            let result = try await connection.insert(
                run(of: documents), into: "c", on: database, options: InsertOptions())
            #expect(result.documentCount == documents.count)
            #expect(result.errors.isEmpty)
            let request = FindRequest(database: database, collection: "c")
            return try await connection.withCursor(request, drain).documents
        }

        @Test func theLargestDocumentGoesInAndOut() async throws {
            try await withDatabase { connection, database in
                let largest = document(byteCount: BSONLimits.documentByteCountMax)
                #expect(largest.bytes.count == 16_777_216)
                let found = try await roundTrip([largest], connection, database)
                #expect(found == [largest])
            }
        }

        @Test func fieldNamesAreNobodysBusiness() async throws {
            try await withDatabase { connection, database in
                let documents = [
                    BSONDocument {
                        $0.append("_id", Int32(1))
                        $0.append("$set", Int32(1))
                        $0.append("a.b", Int32(2))
                        $0.append("", Int32(3))
                        $0.append("twice", Int32(4))
                        $0.append("twice", "five")
                        $0.append("inner", BSONDocument { $0.append("$ref", ".") })
                    },
                    BSONDocument { $0.append("_id", Int32(2)) },
                ]
                let found = try await roundTrip(documents, connection, database)
                #expect(found == documents)
            }
        }

        @Test func refusedDocumentsAreNamedByTheirIndexOverAllCommands() async throws {
            try await withDatabase { connection, database in
                var options = InsertOptions()
                options.isOrdered = false
                options.documentCountMax = 10
                options.writeConcern = BSONDocument { $0.append("w", "majority") }
                let documents = makeDocuments(25)
                _ = try await connection.insert(
                    run(of: [documents[3], documents[17]]), into: "c", on: database,
                    options: options)
                let result = try await connection.insert(
                    run(of: documents), into: "c", on: database, options: options)
                #expect(result.documentCount == 23)
                #expect(result.errors.map(\.index) == [3, 17])
                #expect(result.errors.allSatisfy { $0.code == .duplicateKey })
                #expect(result.errors.allSatisfy { !$0.description.contains("dup key") })
            }
        }

        @Test func anOrderedInsertStopsAtTheFirstError() async throws {
            try await withDatabase { connection, database in
                var options = InsertOptions()
                options.documentCountMax = 10
                let documents = makeDocuments(25)
                _ = try await connection.insert(
                    run(of: [documents[3]]), into: "c", on: database, options: options)
                let result = try await connection.insert(
                    run(of: documents), into: "c", on: database, options: options)
                #expect(result.documentCount == 3)
                #expect(result.errors.map(\.index) == [3])
            }
        }

        @Test func updatesSayWhatTheyDid() async throws {
            try await withDatabase { connection, database in
                _ = try await connection.insert(
                    run(of: makeDocuments(10)), into: "c", on: database, options: InsertOptions())
                let update = BSONDocument {
                    $0.append("q", BSONDocument())
                    $0.append(
                        "u",
                        BSONDocument {
                            $0.append("$set", BSONDocument { $0.append("x", Int32(1)) })
                        })
                    $0.append("multi", true)
                }
                let command = BSONDocument {
                    $0.append("update", "c")
                    $0.append("updates", array: [update])
                }
                let first = try await connection.write(command, on: database)
                #expect(first.documentCount == 10 && first.modifiedCount == 10)
                let second = try await connection.write(command, on: database)
                #expect(second.documentCount == 10 && second.modifiedCount == 0)
                #expect(second.errors.isEmpty)
            }
        }

        @Test func aWriteConcernThatCannotBeMetIsThrown() async throws {
            try await withDatabase { connection, database in
                var options = InsertOptions()
                options.writeConcern = BSONDocument {
                    $0.append("w", Int32(3))
                    $0.append("wtimeout", Int32(100))
                }
                let error = await #expect(throws: MongoError.self) {
                    try await connection.insert(
                        run(of: makeDocuments(1)), into: "c", on: database, options: options)
                }
                #expect(error?.code == .writeConcern)
            }
        }

        @Test func aValidatorIsBypassedOnlyWhenAsked() async throws {
            try await withDatabase { connection, database in
                let validator = BSONDocument {
                    $0.append(
                        "validator",
                        BSONDocument {
                            $0.append("x", BSONDocument { $0.append("$exists", true) })
                        })
                }
                try await connection.createCollection("c", in: database, options: validator)
                var options = InsertOptions()
                let documents = run(of: makeDocuments(1))
                let refused = try await connection.insert(
                    documents, into: "c", on: database, options: options)
                #expect(refused.errors.map(\.serverCode) == [121])
                options.bypassDocumentValidation = true
                let taken = try await connection.insert(
                    documents, into: "c", on: database, options: options)
                #expect(taken.documentCount == 1)
            }
        }
    }
}
