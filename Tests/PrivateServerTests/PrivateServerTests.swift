import BSONBytes
import MongoDriver
import PrivateServer
import Testing

/// The servers that tests, benchmarks and the demo stand on.
@Suite(
    .enabled(if: PrivateServer.isAvailable, "\(PrivateServer.unavailableMessage)"),
    .timeLimit(.minutes(5)))
struct PrivateServerTests {
    private func count(_ pool: MongoPool) async throws -> Int? {
        let command = BSONDocument {
            $0.append("count", "c")
            // With a query, or a server tells what it had noted, which a kill makes wrong.
            $0.append("query", BSONDocument { $0.append("x", Int32(1)) })
        }
        return try await pool.withConnection { connection in
            try await connection.run(command, on: "d").first("n")?.wholeNumber
        }
    }

    private func insert(_ pool: MongoPool) async throws {
        let command = BSONDocument {
            $0.append("insert", "c")
            $0.append("documents", array: [BSONDocument { $0.append("x", Int32(1)) }])
            $0.append("writeConcern", BSONDocument { $0.append("j", true) })
        }
        _ = try await pool.withConnection { try await $0.run(command, on: "d") }
    }

    @Test(arguments: [true, false])
    func dataStayWhenItIsKilled(_ isReplicaSet: Bool) async throws {
        var options = PrivateServer.Options()
        options.isReplicaSet = isReplicaSet
        let server = try await PrivateServer(options)
        let info = try await MongoPool(uri: server.uri, connectionCountMax: 1)
            .withConnection { try await $0.serverInfo() }
        #expect((info.setName != nil) == isReplicaSet)
        try await insert(MongoPool(uri: server.uri, connectionCountMax: 1))
        try await server.kill()
        let dead = try MongoPool(uri: server.uri, connectionCountMax: 1)
        await #expect(throws: MongoError.self) { try await count(dead) }
        try await server.restart()
        #expect(try await count(MongoPool(uri: server.uri, connectionCountMax: 1)) == 1)
        try await server.stop()
    }

    @Test func aFrozenServerContinuesWhenItIsThawed() async throws {
        let server = try await PrivateServer()
        let pool = try MongoPool(uri: server.uri, connectionCountMax: 1)
        try await insert(pool)
        try await server.freeze()
        async let found = count(MongoPool(uri: server.uri, connectionCountMax: 1))
        try await Task.sleep(for: .milliseconds(300))
        try await server.thaw()
        #expect(try await found == 1)
        try await server.stop()
    }

    @Test func twoHavePortsAndDataOfTheirOwn() async throws {
        let (first, second) = (try await PrivateServer(), try await PrivateServer())
        #expect(first.port != second.port)
        try await insert(MongoPool(uri: first.uri, connectionCountMax: 1))
        #expect(try await count(MongoPool(uri: second.uri, connectionCountMax: 1)) == 0)
        try await first.stop()
        try await second.stop()
    }
}
