import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
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

        /// Both ways that inserts go: as a numbered command, and beside one that has no number.
        static let ways = [false, true]

        private func unordered(_ ownsCollection: Bool) -> InsertOptions {
            var options = InsertOptions()
            options.isOrdered = false
            options.ownsCollection = ownsCollection
            return options
        }

        private func roundTrip(
            _ documents: [BSONDocument], _ options: InsertOptions, _ connection: MongoConnection,
            _ database: String
        ) async throws -> [BSONDocument] {
            let result = try await connection.insert(
                run(of: documents), into: "c", on: database, options: options)
            #expect(result.documentCount == documents.count)
            #expect(result.errors.isEmpty)
            let request = FindRequest(database: database, collection: "c")
            return try await connection.withCursor(request, drain).documents
        }

        @Test(arguments: ways) func theLargestDocumentGoesInAndOut(owned: Bool) async throws {
            try await withDatabase { connection, database in
                let largest = document(byteCount: BSONLimits.documentByteCountMax)
                #expect(largest.bytes.count == 16_777_216)
                let found = try await roundTrip(
                    [largest], unordered(owned), connection, database)
                #expect(found == [largest])
            }
        }

        @Test(arguments: ways) func fieldNamesAreNobodysBusiness(owned: Bool) async throws {
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
                let found = try await roundTrip(
                    documents, unordered(owned), connection, database)
                #expect(found == documents)
            }
        }

        @Test(arguments: ways)
        func refusedDocumentsAreNamedByTheirIndexOverAllCommands(owned: Bool) async throws {
            try await withDatabase { connection, database in
                var options = unordered(owned)
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

        /// libmongoc gives a session that a transaction has ended to whoever asks next, and the
        /// server remembers the transaction's number. In a process of its own, for inserts are
        /// counted in the whole process.
        @Test func anInsertIsNotTakenForATransactionThatWasBefore() async throws {
            let port = try await PrivateServer.shared().port
            await #expect(processExitsWith: .success) { [port = port as UInt16] in
                let uri = try MongoURI("mongodb://127.0.0.1:\(port)/?directConnection=true")
                let pool = try MongoPool(uri: uri, connectionCountMax: 1)
                let documents = makeDocuments(2)
                let database = "numbered\(getpid())"
                try await pool.withConnection { connection in
                    for number in 0..<3 {
                        try await connection.withTransaction { transaction in
                            try await transaction.insert(
                                documents[0].bytes[...], into: "t\(number)", on: database,
                                options: InsertOptions())
                        }
                    }
                    for number in 0..<3 {
                        let result = try await connection.insert(
                            run(of: documents), into: "c\(number)", on: database,
                            options: InsertOptions())
                        guard result.documentCount == 2 else { exit(1) }
                    }
                    let drop = BSONDocument { $0.append("dropDatabase", Int32(1)) }
                    _ = try await connection.run(drop, on: database)
                }
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

        @Test(arguments: ways)
        func aWriteConcernThatCannotBeMetIsThrown(owned: Bool) async throws {
            try await withDatabase { connection, database in
                var options = unordered(owned)
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

        @Test(arguments: ways) func aValidatorIsBypassedOnlyWhenAsked(owned: Bool) async throws {
            try await withDatabase { connection, database in
                let validator = BSONDocument {
                    $0.append(
                        "validator",
                        BSONDocument {
                            $0.append("x", BSONDocument { $0.append("$exists", true) })
                        })
                }
                try await connection.createCollection("c", in: database, options: validator)
                var options = unordered(owned)
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

        /// The server of the tests is too old to know the option, and says so.
        @Test(arguments: ways)
        func emptyTimestampsAreAskedToBeKept(owned: Bool) async throws {
            try await withDatabase { connection, database in
                var options = unordered(owned)
                options.bypassEmptyTimestampReplacement = true
                let error = await #expect(throws: MongoError.self) {
                    try await connection.insert(
                        run(of: makeDocuments(1)), into: "c", on: database, options: options)
                }
                #expect(error?.message.contains("bypassEmptyTsReplacement") == true)
            }
        }

        @Test func aRunThatIsCutIsRefused() async throws {
            try await withDatabase { connection, database in
                await #expect(throws: BSONError.self) {
                    try await connection.insert(
                        run(of: makeDocuments(2)).dropLast(), into: "c", on: database,
                        options: unordered(true))
                }
            }
        }
    }
}
