import BSONBytes
import MongoDriver
import PrivateServer
import Testing

extension ServerTests {
    /// What a server that was never reached is told to be.
    @Suite(.timeLimit(.minutes(3))) struct FirstContactTests {
        private let ping = BSONDocument { $0.append("ping", Int32(1)) }

        private func reach(_ string: String, waits: Bool = false) async throws {
            let pool = try MongoPool(
                uri: MongoURI(string), connectionCountMax: 1, waitsForServer: waits)
            let ping = ping
            _ = try await pool.withConnection { try await $0.run(ping, on: "admin") }
        }

        private func failure(_ string: String, waits: Bool = false) async throws -> MongoError {
            let error = try await #require(throws: MongoError.self) {
                try await reach(string, waits: waits)
            }
            #expect(error.contact == (waits ? .awaited : .failed))
            return error
        }

        @Test func aRefusedConnectionIsRetryableOnlyForWhoeverWaits() async throws {
            let error = try await failure("mongodb://127.0.0.1:1/")
            #expect(error.code == .serverSelection)
            #expect(!error.isRetryable)
            #expect(
                error.message.contains("127.0.0.1:1 can't be reached: the connection was refused"))
            #expect(try await failure("mongodb://127.0.0.1:1/", waits: true).isRetryable)
        }

        @Test func anUnknownNameIsToldAsOne() async throws {
            let error = try await failure("mongodb://no-such-host.invalid/")
            #expect(error.message.contains("no-such-host.invalid:27017"))
            #expect(
                error.message.contains("is the name in the connection string right?")
                    || error.message.contains("is the connection string right?"))
        }

        @Test func ofSeveralServersOneIsEnough() async throws {
            let port = try await PrivateServer.shared().port
            try await reach("mongodb://127.0.0.1:1,127.0.0.1:\(port)/?replicaSet=rs0")
            let error = try await failure("mongodb://127.0.0.1:1,127.0.0.1:2/")
            #expect(error.message.contains("127.0.0.1:1 "))
            #expect(error.message.contains("127.0.0.1:2 "))
        }

        @Test(arguments: [
            ("HTTP/1.0 400 Bad Request\r\n\r\n", "it speaks HTTP"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "begins with \"SSH-2.0-Open"),
            ("-ERR unknown command\r\n", "begins with \"-ERR unknown"),
            ("x", "begins with \"x\""),
        ])
        func aPortOfSomethingElseIsToldAsThat(answer: String, expected: String) async throws {
            let listener = try ForeignListener(answer: answer)
            defer { listener.close() }
            let error = try await failure("mongodb://127.0.0.1:\(listener.port)/", waits: true)
            #expect(error.code == .notMongoDB)
            #expect(!error.isRetryable)
            #expect(error.message.contains(expected), "\(error)")
        }

        @Test(arguments: ["", "&tls=true&tlsInsecure=true"])
        func aPortThatNeverAnswersIsGivenUp(query: String) async throws {
            let listener = try ForeignListener(answer: nil)
            defer { listener.close() }
            let error = try await failure(
                "mongodb://127.0.0.1:\(listener.port)/?directConnection=true\(query)")
            #expect(error.code == .serverSelection)
            #expect(error.message.contains("took the connection and did not answer"))
        }

        @Test func anotherReplicaSetIsNamed() async throws {
            let port = try await PrivateServer.shared().port
            let error = try await failure(
                "mongodb://127.0.0.1:\(port)/?replicaSet=rsX", waits: true)
            #expect(error.code == .wrongReplicaSet)
            #expect(!error.isRetryable)
            #expect(error.message.contains("belongs to the replica set \"rs0\", not \"rsX\""))
        }

        @Test func aStandaloneServerIsNoReplicaSet() async throws {
            var options = PrivateServer.Options()
            options.isReplicaSet = false
            options.cacheGB = 0.25
            let server = try await PrivateServer(options)
            let error = try await failure("mongodb://127.0.0.1:\(server.port)/?replicaSet=rs0")
            #expect(error.code == .wrongReplicaSet)
            #expect(error.message.contains("is a standalone server"))
            try await server.stop()
        }

        /// The names that the members have in the configuration are not known here, as with a set
        /// in containers.
        @Test func aSetWhoseOnlyMemberDiedIsAnError() async throws {
            let set = try await PrivateServer()
            let proxy = try StallingProxy(to: set.port)
            defer { proxy.close() }
            let uri = "mongodb://127.0.0.1:\(proxy.port)/?replicaSet=rs0"
            try await reach(uri)
            try await set.kill()
            let error = try await failure(uri)
            #expect(error.code == .network || error.code == .serverSelection)
        }

        @Test func whoeverIsCancelledMeanwhileIsFree() async throws {
            let listener = try ForeignListener(answer: nil)
            defer { listener.close() }
            let uri = "mongodb://127.0.0.1:\(listener.port)/?connectTimeoutMS=8000"
            let task = Task { try await reach(uri) }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }

        // MARK: TLS

        @Test func tlsWhereThereIsNoneIsTold() async throws {
            let port = try await PrivateServer.shared().port
            let error = try await failure(
                "mongodb://127.0.0.1:\(port)/?tls=true&directConnection=true", waits: true)
            #expect(error.code == .tls)
            #expect(error.message.contains("does not use TLS"))
            #expect(!error.isRetryable)
        }

        @Test func whatIsWrongWithTLSIsTold() async throws {
            let files = try Certificates()
            defer { files.remove() }
            let server = try await files.server()
            let host = "mongodb://127.0.0.1:\(server.port)/"
            let folder = files.folder
            try await reach("\(host)?tls=true&tlsCAFile=\(folder)/ca.pem")
            try await reach(
                "mongodb://localhost:\(server.port)/?tls=true&tlsCAFile=\(folder)/ca.pem")
            try await reach(
                "\(host)?tls=true&tlsDisableOCSPEndpointCheck=true&tlsCAFile=\(folder)/ca.pem")
            let encrypted =
                "tls=true&tlsCAFile=\(folder)/ca.pem&tlsCertificateKeyFile=\(folder)/encrypted.pem"
            try await reach("\(host)?\(encrypted)&tlsCertificateKeyFilePassword=right")
            let plain = try await failure(host)
            #expect(plain.code == .tls)
            #expect(plain.message.contains("requires TLS"))
            let system = try await failure("\(host)?tls=true")
            #expect(system.code == .tls)
            #expect(system.message.contains("is not trusted"))
            #expect(system.message.contains("as tlsCAFile"))
            let other = try await failure("\(host)?tls=true&tlsCAFile=\(folder)/other.pem")
            #expect(other.message.contains("\(folder)/other.pem (tlsCAFile)"))
            for (query, expected) in [
                (encrypted, "is encrypted; give its password as tlsCertificateKeyFilePassword"),
                ("\(encrypted)&tlsCertificateKeyFilePassword=wrong", "this password does not open"),
                (
                    "tls=true&tlsCertificateKeyFile=\(folder)/mixed.pem",
                    "holds no private key that goes with its certificate"
                ),
                ("tls=true&tlsCertificateKeyFile=\(folder)/ca.pem", "holds no private key"),
            ] {
                let error = try #require(throws: MongoError.self) {
                    try MongoPool(uri: MongoURI("\(host)?\(query)"), connectionCountMax: 1)
                }
                #expect(error.code == .invalidURI)
                #expect(error.message.contains(expected), "\(error)")
            }
            try await server.stop()
        }

        @Test func aCertificateForAnotherNameIsToldAsOne() async throws {
            let files = try Certificates()
            defer { files.remove() }
            let server = try await files.server("elsewhere")
            let uri =
                "mongodb://127.0.0.1:\(server.port)/?tls=true&tlsCAFile=\(files.folder)/ca.pem"
            let error = try await failure(uri)
            #expect(error.code == .tls)
            #expect(error.message.contains("is for another name"))
            try await reach(uri + "&tlsAllowInvalidHostnames=true")
            try await server.stop()
        }

        @Test func aServerThatWantsACertificateIsToldAsOne() async throws {
            let files = try Certificates()
            defer { files.remove() }
            let server = try await files.server(demandsCertificate: true)
            let uri =
                "mongodb://127.0.0.1:\(server.port)/?tls=true&tlsCAFile=\(files.folder)/ca.pem"
            let error = try await failure(uri)
            #expect(error.code == .tls)
            #expect(error.message.contains("tlsCertificateKeyFile"), "\(error)")
            try await reach("\(uri)&tlsCertificateKeyFile=\(files.folder)/server.pem")
            try await server.stop()
        }

        // MARK: Users

        @Test func noUserWhereOneIsNeededIsTold() async throws {
            var options = PrivateServer.Options()
            options.isReplicaSet = false
            options.cacheGB = 0.25
            options.arguments = ["--auth"]
            let server = try await PrivateServer(options)
            let host = "127.0.0.1:\(server.port)"
            let pool = try MongoPool(
                uri: MongoURI("mongodb://\(host)/"), connectionCountMax: 1)
            let error = try await #require(throws: MongoError.self) {
                try await pool.withConnection { try await $0.collections(in: "d") }
            }
            #expect(error.code == .authentication)
            #expect(error.message.contains("the connection string names none"), "\(error)")
            for query in ["authSource=nowhere", "authMechanism=PLAIN", "authMechanism=SCRAM-SHA-1"]
            {
                let refused = try await #require(throws: MongoError.self) {
                    try await reach("mongodb://u:p@\(host)/?\(query)")
                }
                #expect(refused.code == .authentication)
                #expect(!refused.isRetryable)
            }
            try await server.stop()
        }
    }
}
