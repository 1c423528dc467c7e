import BSONBytes
import MongoDriver
import PrivateServer
import Testing

extension ServerTests {
    @Suite struct FailureTests {
        private let ping = BSONDocument { $0.append("ping", Int32(1)) }

        private func failure(_ string: String) async throws -> MongoError {
            let pool = try MongoPool(uri: MongoURI(string), connectionCountMax: 1)
            let ping = ping
            return try await #require(throws: MongoError.self) {
                try await pool.withConnection { try await $0.run(ping, on: "admin") }
            }
        }

        @Test func aCommandThatIsRefusedHasTheServersCode() async throws {
            try await withDatabase { connection, database in
                let error = try await #require(throws: MongoError.self) {
                    try await connection.run(
                        BSONDocument { $0.append("noSuchCommand", Int32(1)) }, on: database)
                }
                #expect(error.code == .command)
                #expect(error.serverCode == 59)
                #expect(error.codeName == "CommandNotFound")
                #expect(error.message.hasPrefix("noSuchCommand on \"\(database)\" failed: "))
            }
        }

        @Test func aWrongPasswordIsAnAuthenticationErrorWithoutThePassword() async throws {
            let port = try await PrivateServer.shared().port
            let error = try await failure("mongodb://anna:geheim@127.0.0.1:\(port)/")
            #expect(error.code == .authentication)
            #expect(
                error.description
                    == "authentication failed: Authentication failed at mongodb://***@127.0.0.1:"
                    + "\(port); check user, password and authSource")
        }

        @Test(.timeLimit(.minutes(2))) func aServerThatIsNotThereIsAMessage() async throws {
            let error = try await failure("mongodb://a:b@127.0.0.1:1/")
            #expect(error.code == .serverSelection)
            #expect(!error.isRetryable)
            #expect(
                error.description
                    == "the server 127.0.0.1:1 can't be reached: the connection was refused; does "
                    + "the server run, and is the port right?")
        }

        @Test func aKilledServerIsANetworkErrorAndARestartedOneWorks() async throws {
            let server = try await PrivateServer()
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 2)
            let ping = ping
            try await pool.withConnection { connection in
                _ = try await connection.insert(
                    run(of: makeDocuments(100)), into: "c", on: "d", options: InsertOptions())
                var request = FindRequest(database: "d", collection: "c")
                request.batchDocumentCount = 10
                let error = await #expect(throws: MongoError.self) {
                    try await connection.withCursor(request) { cursor in
                        _ = try await cursor.nextBatch()
                        try await server.kill()
                        _ = try await drain(cursor)
                    }
                }
                #expect(error?.isNetworkError == true)
                #expect(error?.code == .network)
                try await server.restart()
                _ = try await connection.run(ping, on: "admin")
            }
        }

        @Test func aCommandThatTakesTooLongIsANetworkError() async throws {
            let port = try await PrivateServer.shared().port
            let uri = try MongoURI(
                "mongodb://127.0.0.1:\(port)/?directConnection=true", socketTimeoutSeconds: 1)
            let pool = try MongoPool(uri: uri, connectionCountMax: 1)
            try await withDatabase { connection, database in
                _ = try await connection.insert(
                    run(of: makeDocuments(1)), into: "c", on: database, options: InsertOptions())
                var request = FindRequest(database: database, collection: "c")
                request.filter = BSONDocument { $0.append("$where", "sleep(3000) || true") }
                let error = await #expect(throws: MongoError.self) {
                    try await pool.withConnection { try await $0.withCursor(request, drain) }
                }
                #expect(error?.code == .network)
            }
        }

        @Test(arguments: ["failCommand", "onPrimaryTransactionalWrite"])
        func anInsertWhoseAnswerIsLostIsDoneExactlyOnce(failPoint: String) async throws {
            var options = PrivateServer.Options()
            options.arguments = ["--setParameter", "enableTestCommands=1"]
            let server = try await PrivateServer(options)
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            // The first breaks the connection before the insert, the second after it.
            let command = BSONDocument {
                $0.append("configureFailPoint", failPoint)
                $0.append("mode", BSONDocument { $0.append("times", Int32(1)) })
                $0.append(
                    "data",
                    BSONDocument {
                        if failPoint == "failCommand" {
                            $0.append("failCommands", array: ["insert"])
                        }
                        $0.append("closeConnection", true)
                    })
            }
            try await pool.withConnection { connection in
                _ = try await connection.run(command, on: "admin")
                let documents = makeDocuments(10)
                let result = try await connection.insert(
                    run(of: documents), into: "c", on: "d", options: InsertOptions())
                #expect(result.documentCount == 10)
                #expect(result.errors.isEmpty)
                let request = FindRequest(database: "d", collection: "c")
                let found = try await connection.withCursor(request, drain).documents
                #expect(found == documents)
            }
        }

        /// Without a number: the first breaks the connection before the insert; the second makes
        /// the server say, when it has inserted, that its primary has changed.
        @Test(arguments: ["closeConnection", "writeConcernError"])
        func anInsertOfOnesOwnIsRepeatedWithoutDoublingAnything(failure: String) async throws {
            var serverOptions = PrivateServer.Options()
            serverOptions.arguments = ["--setParameter", "enableTestCommands=1"]
            let server = try await PrivateServer(serverOptions)
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            let command = BSONDocument {
                $0.append("configureFailPoint", "failCommand")
                $0.append("mode", BSONDocument { $0.append("times", Int32(1)) })
                $0.append(
                    "data",
                    BSONDocument {
                        $0.append("failCommands", array: ["insert"])
                        if failure == "closeConnection" {
                            $0.append(failure, true)
                        } else {
                            let error = BSONDocument {
                                $0.append("code", Int32(91))
                                $0.append("errmsg", "the primary steps down")
                            }
                            $0.append(failure, error)
                        }
                    })
            }
            try await pool.withConnection { connection in
                _ = try await connection.run(command, on: "admin")
                let documents = makeDocuments(25)
                var options = InsertOptions()
                options.isOrdered = false
                options.ownsCollection = true
                options.documentCountMax = 10
                let result = try await connection.insert(
                    run(of: documents), into: "c", on: "d", options: options)
                #expect(result.documentCount == 25)
                #expect(result.errors.isEmpty)
                let request = FindRequest(database: "d", collection: "c")
                let found = try await connection.withCursor(request, drain).documents
                #expect(found == documents)
                // It has no number that a server would count.
                let status = try await connection.run(
                    BSONDocument { $0.append("serverStatus", Int32(1)) }, on: "admin")
                let retried = try status.first("transactions")?.document?
                    .first("retriedStatementsCount")?.wholeNumber
                #expect(retried == 0)
            }
        }

        @Test func aStandaloneServerTakesInsertsAndKeepsThemOverARestart() async throws {
            var options = PrivateServer.Options()
            options.isReplicaSet = false
            let server = try await PrivateServer(options)
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            try await pool.withConnection { connection in
                let documents = makeDocuments(10)
                _ = try await connection.insert(
                    run(of: documents), into: "c", on: "d", options: InsertOptions())
                #expect(try await connection.serverInfo().role == .standalone)
                #expect(try await connection.operationTime() == nil)
                try await server.stop()
                try await server.restart()
                let request = FindRequest(database: "d", collection: "c")
                let found = try await connection.withCursor(request, drain).documents
                #expect(found == documents)
            }
        }

        @Test func aClosedPoolSaysSo() async throws {
            let pool = try MongoPool(
                uri: try await PrivateServer.shared().uri, connectionCountMax: 1)
            let ping = ping
            try await pool.withConnection { connection in
                pool.close()
                _ = try await connection.run(ping, on: "admin")
            }
            let error = await #expect(throws: MongoError.self) {
                try await pool.withConnection { _ in }
            }
            #expect(error?.code == .poolClosed)
        }

        @Test func connectionsWorkAtTheSameTime() async throws {
            let pool = try MongoPool(
                uri: try await PrivateServer.shared().uri, connectionCountMax: 3)
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await pool.withConnection { connection in
                            try await connection.databaseNames().count
                        }
                    }
                }
                return try await group.reduce(0) { $0 + min($1, 1) }
            }
            #expect(count == 50)
        }
    }
}
