internal import AccessControl
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// What a hostile client may send over a socket.
@Suite struct WireTests {
    /// A second request that no proxy would have let through, hidden in a first one.
    private static let hidden = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"

    private static func create(_ lines: [String], _ body: String) -> String {
        (["POST /api/phase14/backup/create HTTP/1.1", "Host: localhost", "Connection: keep-alive"]
            + lines).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// Clients ask before they send a long body, and wait for a second or for ever.
    @Test func whoAsksWhetherToSendItsBodyIsTold() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let connection = try await RawConnection(port: client.port)
            try await connection.send(
                client.rawRequest(
                    "POST", "backup/create",
                    headers: [
                        "Content-Type: application/json", "Content-Length: 2",
                        "Expect: 100-continue",
                    ]))
            let first = await connection.read { $0.contains("\r\n\r\n") }
            #expect(first.statuses == [100])
            try await connection.send("{}")
            let second = await connection.read { $0.contains("job_id") }
            #expect(second.statuses == [202])
            connection.close()
        }
    }

    /// So that what follows means something: two honest requests are answered twice.
    @Test func honestRequestsOnOneConnectionAreAnsweredInOrder() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let text =
                client.rawRequest("GET", "/healthz")
                + client.rawRequest(
                    "POST", "backup/create",
                    headers: ["Content-Type: application/json", "Transfer-Encoding: chunked"],
                    body: "1;name=value\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
                + client.rawRequest("GET", "/nothing")
            let reading = try await client.raw(text, answers: 3)
            #expect(reading.statuses == [200, 202, 404])
        }
    }

    @Test(arguments: [
        ("length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
        ("chunks and length", ["Transfer-Encoding: chunked", "Content-Length: 5"], "0\r\n\r\n"),
        ("two lengths", ["Content-Length: 0", "Content-Length: 60"], ""),
        ("a list of lengths", ["Content-Length: 0, 60"], ""),
        ("a signed length", ["Content-Length: +0"], ""),
        ("a negative length", ["Content-Length: -1"], ""),
        ("a length in hexadecimal", ["Content-Length: 0x0"], ""),
        ("an unknown coding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n"),
        (
            "two codings", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
            "0\r\n\r\n"
        ),
        ("a coding behind", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"),
        ("a tab in a coding", ["Transfer-Encoding: \u{0B}chunked"], "0\r\n\r\n"),
        ("a space before the colon", ["Transfer-Encoding : chunked"], "0\r\n\r\n"),
        ("a folded header", ["X-A: b\r\n Transfer-Encoding: chunked"], ""),
        ("a name that is none", ["X A: b"], ""), ("no colon", ["nonsense"], ""),
        ("a bare CR", ["X-A: b\rTransfer-Encoding: chunked"], ""),
        ("a bad chunk size", ["Transfer-Encoding: chunked"], "zz\r\n{}\r\n0\r\n\r\n"),
        ("a huge chunk size", ["Transfer-Encoding: chunked"], "FFFFFFFFFFFFFFFFF\r\n{}\r\n"),
        ("garbage behind a chunk", ["Transfer-Encoding: chunked"], "2\r\n{}XX0\r\n\r\n"),
        ("NUL in a header", ["X-A: b\0c"], ""),
    ])
    func anAmbiguousRequestIsAnsweredOnceAndTheConnectionClosed(
        _ name: String, _ lines: [String], _ body: String
    ) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.bodySecondsMax = 1
        try await fixture.serve(.socket, doesJobs: false) { client in
            // Who is let in comes to the body, who is not is answered before it.
            let token = client.fixture.tokens[.superAdmin] ?? ""
            let known = ["Authorization: Bearer \(token)", "Content-Type: application/json"]
            for own in [[], known] {
                let reading = try await client.raw(Self.create(own + lines, body) + Self.hidden)
                #expect(reading.isClosed, "\(name): \(reading.text)")
                #expect(reading.statuses.count <= 1, "\(name): \(reading.text)")
                #expect(!reading.text.contains("openapi"), "\(name)")
                let refusals = own.isEmpty ? [400, 401, 413, 431] : [400, 408, 413, 431]
                let isRefused = reading.statuses.allSatisfy(refusals.contains)
                #expect(isRefused, "\(name): \(reading.text)")
            }
            #expect(try await client.get("jobs").number("total") == 0)
        }
    }

    @Test(arguments: [
        "GET /healthz HTTP/1.1\nHost: localhost\n\n", "GET /healthz\r\n\r\n", "\0\0\0\0\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n", "\u{16}\u{03}\u{01}\u{02}\u{00}\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func whatIsNoRequestIsAnsweredOnceAtMost(_ text: String) async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let reading = try await client.raw(text + Self.hidden, answers: 2)
            #expect(reading.statuses.count <= 1 && !reading.text.contains("openapi"))
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test func garbageBehindARequestIsNoPartOfIt() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let reading = try await client.raw(
                client.rawRequest("GET", "/healthz") + "garbage\r\n\r\n" + Self.hidden)
            #expect(reading.statuses == [200, 400])
            #expect(reading.isClosed)
            let answer = reading.text.components(separatedBy: "HTTP/1.1 400 ").last ?? ""
            let name = answer.firstMatch(of: /X-Request-Id: ([0-9a-f]+)\r\n/)?.1
            #expect(answer.contains("Content-Type: application/problem+json\r\n"))
            #expect(answer.contains("\"code\":\"malformed_request\""))
            #expect(name.map { answer.contains("\"request_id\":\"\($0)\"}") } == true)
        }
    }

    @Test(arguments: ["Idempotency-Key", "X-Request-Id", "Prefer", "Last-Event-ID"])
    func aHeaderCannotBePutIntoAnAnswer(_ name: String) async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let values = [
                "a\r\nX-Injected: 1", "a\rX-Injected: 1", "a\nX-Injected: 1",
                "a%0d%0aX-Injected:%201", "a\u{85}X-Injected: 1", "a\0X-Injected: 1",
            ]
            for value in values {
                let reading = try await client.raw(
                    client.rawRequest("POST", "backup/create", headers: ["\(name): \(value)"]),
                    answers: 1)
                let head = reading.text.components(separatedBy: "\r\n\r\n")[0].lowercased()
                #expect(!head.contains("\nx-injected"), "\(name): \(value)")
            }
        }
    }

    @Test func aHeaderThatIsTooLargeIsRefused() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let large = String(repeating: "a", count: 40_000)
            let many = (0..<200).map { "X-\($0): a" }
            let huge = ["X-Huge: \(String(repeating: large, count: 20))"]
            var statuses: Set<Int> = []
            for headers in [["X-Large: \(large)"], ["\(large): a"], many, huge] {
                let reading = try await client.raw(
                    client.rawRequest("GET", "/healthz", headers: headers))
                #expect(reading.isClosed)
                #expect(reading.statuses.count == 1)
                #expect(reading.text.contains("application/problem+json"))
                statuses.formUnion(reading.statuses)
            }
            #expect(statuses == [431])
            let path = try await client.raw(client.rawRequest("GET", "/healthz?\(large)"))
            #expect(path.isClosed && !path.statuses.contains(200))
        }
    }

    @Test func aBodyOfUnknownLengthIsCountedAsItComes() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.bodyByteCountMax = 1000
        try await fixture.serve(.socket, doesJobs: false) { client in
            let chunk = "400\r\n" + String(repeating: " ", count: 1024) + "\r\n"
            let reading = try await client.raw(
                client.rawRequest(
                    "POST", "backup/create",
                    headers: ["Content-Type: application/json", "Transfer-Encoding: chunked"],
                    body: chunk + chunk))
            #expect(reading.statuses == [413])
            #expect(reading.isClosed)
        }
    }

    /// Who is not let in may not keep a connection by sending a body for ever.
    @Test func aConnectionWhoseBodyIsNotWantedIsClosed() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.bodyByteCountMax = 1000
        try await fixture.serve(.socket, doesJobs: false) { client in
            let headers = ["Content-Type: application/json", "Content-Length: 1000000"]
            let large = try await client.raw(
                client.rawRequest("POST", "backup/create", headers: headers, body: "{"))
            #expect(large.statuses == [413])
            #expect(large.isClosed)
            let stranger = try await client.raw(
                client.rawRequest("POST", "backup/create", as: nil, headers: headers, body: "{"))
            #expect(stranger.statuses == [401])
            #expect(stranger.isClosed)
        }
    }

    @Test func aBodyThatDoesNotComeIs408AndTheConnectionClosed() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.bodySecondsMax = 1
        try await fixture.serve(.socket, doesJobs: false) { client in
            let reading = try await client.raw(
                client.rawRequest(
                    "POST", "backup/create",
                    headers: ["Content-Type: application/json", "Content-Length: 100"],
                    body: "{\"codec\""))
            #expect(reading.statuses == [408])
            #expect(reading.text.contains("body_timeout"))
            #expect(reading.isClosed)
            #expect(try await client.get("jobs").number("total") == 0)
        }
    }

    @Test(arguments: ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b"])
    func headersThatDoNotComeCloseTheConnection(_ text: String) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.idleSecondsMax = 1
        try await fixture.serve(.socket, doesJobs: false) { client in
            let reading = try await client.raw(text)
            #expect(reading.isClosed)
            #expect(!reading.statuses.contains(200))
        }
    }

    @Test func aThousandIdleConnectionsKeepNobodyFromBeingAnswered() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            var idle: [RawConnection] = []
            for number in 0..<1000 {
                let connection = try await RawConnection(port: client.port)
                if number.isMultiple(of: 2) { try await connection.send("GET /heal") }
                idle.append(connection)
            }
            for _ in 0..<20 {
                let answer = try await client.get("backup/list")
                #expect(answer.status == 200)
            }
            let fresh = try await client.raw(client.rawRequest("GET", "/healthz"), answers: 1)
            #expect(fresh.statuses == [200])
            idle.forEach { $0.close() }
        }
    }
}
