import BSONBytes
import MongoDriver
import Testing

extension ServerTests {
    @Suite struct CursorTests {
        @Test func threeBatchesBringBackTheExactBytes() async throws {
            try await withDatabase { connection, database in
                let stored = makeDocuments(250)
                _ = try await connection.insert(
                    run(of: stored), into: "c", on: database, options: InsertOptions())
                var request = FindRequest(database: database, collection: "c")
                request.hint = BSONDocument { $0.append("_id", Int32(1)) }
                request.batchDocumentCount = 100
                let (documents, batchCount) = try await connection.withCursor(request, drain)
                #expect(documents == stored)
                #expect(batchCount == 3)
            }
        }

        @Test func laterBatchesAreOfTheSizeThatIsAimedAt() async throws {
            try await withDatabase { connection, database in
                let stored = makeDocuments(40, payload: 1 << 20)
                _ = try await connection.insert(
                    run(of: stored), into: "c", on: database, options: InsertOptions())
                let request = FindRequest(database: database, collection: "c")
                let counts = try await connection.withCursor(request) { cursor in
                    var counts: [Int] = []
                    while let batch = try await cursor.nextBatch() {
                        counts.append(batch.byteCount)
                    }
                    return counts
                }
                // Nobody knew how large they are, so the server ended the first one.
                #expect(counts[0] > 15 << 20)
                let target = MongoCursor.batchByteCountTarget
                #expect(counts.dropFirst().allSatisfy { $0 <= target })
                #expect(counts.dropFirst().dropLast().allSatisfy { $0 > target - (2 << 20) })
            }
        }

        @Test func boundsFilterAndProjectionAreSent() async throws {
            try await withDatabase { connection, database in
                _ = try await connection.insert(
                    run(of: makeDocuments(100)), into: "c", on: database, options: InsertOptions())
                var request = FindRequest(database: database, collection: "c")
                request.hint = BSONDocument { $0.append("_id", Int32(1)) }
                request.min = BSONDocument { $0.append("_id", Int32(10)) }
                request.max = BSONDocument { $0.append("_id", Int32(20)) }
                request.projection = BSONDocument { $0.append("_id", Int32(1)) }
                request.noCursorTimeout = true
                let (documents, _) = try await connection.withCursor(request, drain)
                #expect(
                    documents
                        == (10..<20).map { id in BSONDocument { $0.append("_id", Int32(id)) } })
            }
        }

        @Test func aSnapshotDoesNotSeeLaterWrites() async throws {
            try await withDatabase { connection, database in
                let before = makeDocuments(10)
                _ = try await connection.insert(
                    run(of: before), into: "c", on: database, options: InsertOptions())
                let moment = try #require(try await connection.operationTime())
                _ = try await connection.write(
                    BSONDocument {
                        $0.append("delete", "c")
                        $0.append(
                            "deletes",
                            array: [
                                BSONDocument {
                                    $0.append("q", BSONDocument())
                                    $0.append("limit", Int32(0))
                                }
                            ])
                    }, on: database)
                var request = FindRequest(database: database, collection: "c")
                request.atClusterTime = moment
                request.batchDocumentCount = 3
                let (documents, batchCount) = try await connection.withCursor(request, drain)
                #expect(documents == before)
                #expect(batchCount == 4)
                request.atClusterTime = nil
                #expect(try await connection.withCursor(request, drain).documents.isEmpty)
            }
        }

        @Test func aMomentBeforeTheCollectionHasItsOwnCode() async throws {
            try await withDatabase { connection, database in
                _ = try await connection.insert(
                    run(of: makeDocuments(1)), into: "c", on: database, options: InsertOptions())
                var request = FindRequest(database: database, collection: "c")
                request.atClusterTime = BSONTimestamp(seconds: 1_000_000_000, increment: 1)
                let error = await #expect(throws: MongoError.self) {
                    try await connection.withCursor(request, drain)
                }
                #expect(error?.code == .snapshotUnavailable)
                #expect(error?.codeName == "SnapshotUnavailable")
                #expect(error?.server?.hasPrefix("127.0.0.1:") == true)
            }
        }

        @Test func aCursorLeftEarlyIsKilled() async throws {
            try await withDatabase { connection, database in
                _ = try await connection.insert(
                    run(of: makeDocuments(100)), into: "c", on: database, options: InsertOptions())
                var request = FindRequest(database: database, collection: "c")
                request.batchDocumentCount = 10
                let count = try await connection.withCursor(request) { cursor in
                    _ = try await cursor.nextBatch()
                    return try await openCursorCount(connection, on: database)
                }
                #expect(count == 1)
                #expect(try await openCursorCount(connection, on: database) == 0)
            }
        }

        @Test func aCancelledCursorStopsAndIsKilled() async throws {
            try await withDatabase { connection, database in
                _ = try await connection.insert(
                    run(of: makeDocuments(100)), into: "c", on: database, options: InsertOptions())
                let task = Task {
                    var request = FindRequest(database: database, collection: "c")
                    request.batchDocumentCount = 1
                    return try await connection.withCursor(request) { cursor in
                        _ = try await cursor.nextBatch()
                        withUnsafeCurrentTask { $0?.cancel() }
                        return try await drain(cursor).batchCount
                    }
                }
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await openCursorCount(connection, on: database) == 0)
            }
        }

        /// The cursors that a server holds open over a database.
        private func openCursorCount(
            _ connection: MongoConnection, on database: String
        ) async throws -> Int {
            let stages = [
                BSONDocument {
                    $0.append("$currentOp", BSONDocument { $0.append("idleCursors", true) })
                },
                BSONDocument {
                    $0.append("$match", BSONDocument { $0.append("ns", "\(database).c") })
                },
            ]
            let command = BSONDocument {
                $0.append("aggregate", Int32(1))
                $0.append("pipeline", array: stages)
                $0.append("cursor", BSONDocument())
            }
            let operations = try await connection.withCursor(command, on: "admin", drain).documents
            return try operations.filter { try $0.first("cursor") != nil }.count
        }
    }
}
