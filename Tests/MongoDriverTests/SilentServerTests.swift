import BSONBytes
import MongoDriver
import PrivateServer
import Synchronization
import Testing

extension ServerTests {
    /// A server that hangs: it takes connections and bytes and answers nothing.
    @Suite(.timeLimit(.minutes(3))) struct SilentServerTests {
        private let ping = BSONDocument { $0.append("ping", Int32(1)) }

        /// Takes as long as one likes, on the server.
        private func sleeping(_ milliseconds: Int) -> BSONDocument {
            BSONDocument {
                $0.append("find", "c")
                $0.append(
                    "filter",
                    BSONDocument { $0.append("$where", "sleep(\(milliseconds)) || true") })
            }
        }

        private func insertOne(_ pool: MongoPool) async throws {
            _ = try await pool.withConnection { connection in
                try await connection.insert(
                    run(of: makeDocuments(1)), into: "c", on: "d", options: InsertOptions())
            }
        }

        @Test func aCallToAFrozenServerFailsAndSaysForHowLong() async throws {
            let server = try await PrivateServer()
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            let ping = ping
            let notices = Notices()
            try await pool.withNotices({ notices.add($0) }) {
                try await pool.withConnection { connection in
                    _ = try await connection.run(ping, on: "admin")
                    try await server.freeze()
                    let error = try await #require(throws: MongoError.self) {
                        try await connection.run(ping, on: "admin")
                    }
                    #expect(error.code == .network)
                    #expect(error.isRetryable)
                    #expect(error.silentSeconds >= 8)
                    #expect(error.description.contains("127.0.0.1:\(server.port)"))
                    #expect(error.message.contains("the server has not answered for"))
                    try await server.thaw()
                    try await eventually { _ = try await connection.run(ping, on: "admin") }
                }
            }
            #expect(notices.all.first?.contains("has not answered for") == true)
            try await server.stop()
        }

        /// It is the same with a network that lets nothing through.
        @Test(arguments: ["", "tls"])
        func aCallThroughANetworkThatDropsAllFails(kind: String) async throws {
            let files = try Certificates()
            defer { files.remove() }
            let server = try await kind == "tls" ? files.server() : PrivateServer()
            let proxy = try StallingProxy(to: server.port)
            defer { proxy.close() }
            let query = kind == "tls" ? "&tls=true&tlsCAFile=\(files.folder)/ca.pem" : ""
            let uri = try MongoURI(
                "mongodb://127.0.0.1:\(proxy.port)/?directConnection=true\(query)")
            let pool = try MongoPool(uri: uri, connectionCountMax: 1)
            let ping = ping
            try await pool.withConnection { connection in
                _ = try await connection.run(ping, on: "admin")
                proxy.stall()
                let error = try await #require(throws: MongoError.self) {
                    try await connection.run(ping, on: "admin")
                }
                #expect(error.code == .network)
                #expect(error.silentSeconds >= 8)
                proxy.resume()
                try await eventually { _ = try await connection.run(ping, on: "admin") }
            }
            try await server.stop()
        }

        /// Longer than a silent server is given.
        @Test func aServerThatWorksForLongIsNotTakenForOneThatHangs() async throws {
            let server = try await PrivateServer()
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            try await insertOne(pool)
            let command = sleeping(14_000)
            let reply = try await pool.withConnection { try await $0.run(command, on: "d") }
            #expect(try reply.first("ok")?.double == 1)
            try await server.stop()
        }

        @Test func aCancelledCallToAFrozenServerEnds() async throws {
            let server = try await PrivateServer()
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            try await insertOne(pool)
            try await server.freeze()
            let ping = ping
            let task = Task {
                try await pool.withConnection { try await $0.run(ping, on: "admin") }
            }
            try await Task.sleep(for: .milliseconds(300))
            let start = ContinuousClock.now
            task.cancel()
            let error = await #expect(throws: MongoError.self) { try await task.value }
            #expect(error?.silentSeconds == 0)
            // Earlier than a server is given up.
            #expect(start.duration(to: .now) < .seconds(7))
            try await server.stop()
        }

        @Test func aCancelledCallToAServerThatWorksForLongEnds() async throws {
            let server = try await PrivateServer()
            let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
            try await insertOne(pool)
            let command = sleeping(60_000)
            let task = Task { try await pool.withConnection { try await $0.run(command, on: "d") } }
            try await Task.sleep(for: .milliseconds(300))
            task.cancel()
            await #expect(throws: MongoError.self) { try await task.value }
            // The pool is as good as before.
            let ping = ping
            _ = try await pool.withConnection { try await $0.run(ping, on: "admin") }
            try await server.kill()
        }

        /// The user allows a minute for a server to be found.
        @Test func aCancelledSearchForAServerEnds() async throws {
            let server = try await PrivateServer()
            let uri = try MongoURI(
                "mongodb://127.0.0.1:\(server.port)/?replicaSet=rs0&serverSelectionTimeoutMS=60000")
            let pool = try MongoPool(uri: uri, connectionCountMax: 1)
            try await insertOne(pool)
            try await server.kill()
            let ping = ping
            let task = Task {
                try await pool.withConnection { connection in
                    for _ in 0..<2 { _ = try? await connection.run(ping, on: "admin") }
                }
            }
            try await Task.sleep(for: .milliseconds(500))
            let start = ContinuousClock.now
            task.cancel()
            _ = await task.result
            #expect(start.duration(to: .now) < .seconds(20))
        }

        /// Repeats what fails as long as the driver takes to notice that the server is back.
        private func eventually(_ body: () async throws -> Void) async throws {
            for attempt in 1... {
                do { return try await body() } catch let error as MongoError where error.isRetryable
                {
                    guard attempt < 20 else { throw error }
                }
            }
        }
    }

    /// Replica sets of several members.
    @Suite(.timeLimit(.minutes(5))) struct PrivateReplicaSetTests {
        @Test func aFrozenPrimaryIsReplacedAndBecomesAMemberAgain() async throws {
            let set = try await PrivateReplicaSet()
            let first = try await set.primary()
            let pool = try MongoPool(uri: set.uri, connectionCountMax: 1)
            _ = try await pool.withConnection { connection in
                try await connection.insert(
                    run(of: makeDocuments(10)), into: "c", on: "d", options: InsertOptions())
            }
            try await set.freeze(first)
            let second = try await set.primary(otherThan: first)
            #expect(second != first)
            try await set.thaw(first)
            try await set.waitUntilReady()
            let found = try await pool.withConnection { connection in
                try await connection.withCursor(
                    FindRequest(database: "d", collection: "c"), drain
                ).documents
            }
            // Members do not store them in the same order.
            #expect(Set(found) == Set(makeDocuments(10)))
            #expect(found.count == 10)
        }
    }
}

/// What was said, from any thread.
private final class Notices: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    func add(_ text: String) {
        texts.withLock { $0.append(text) }
    }
}
