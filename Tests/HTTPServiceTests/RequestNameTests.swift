internal import Foundation
internal import Testing

@testable internal import HTTPService

/// Every request has a name, in its answer and in the log.
@Suite struct RequestNameTests {
    @Test(arguments: Way.allCases)
    func aClientsOwnNameIsRepeated(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let headers = ["X-Request-Id": "My-request_1.2"]
            let answer = try await client.get("/healthz", as: nil, headers: headers)
            #expect(answer.header("X-Request-Id") == "My-request_1.2")
            let problem = try await client.get("/nothing", headers: headers)
            #expect(try problem.string("request_id") == "My-request_1.2")
            #expect(client.fixture.log.contains("request_id=My-request_1.2"))
        }
    }

    @Test(
        arguments: Way.allCases,
        ["", "with space", "semi;colon", "<b>", "é", String(repeating: "a", count: 65), "a\tb"])
    func aNameThatCouldDoHarmIsReplaced(_ way: Way, _ name: String) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let answer = try await client.get(
                "/healthz", as: nil, headers: ["X-Request-Id": name])
            let given = try #require(answer.header("X-Request-Id"))
            #expect(given != name)
            #expect(given.wholeMatch(of: /[0-9a-f]+/) != nil)
            if !name.isEmpty { #expect(!client.fixture.log.contains("request_id=\(name)")) }
        }
    }

    @Test func namesThatTheServiceGivesDiffer() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let first = try await client.get("/healthz").header("X-Request-Id")
            let second = try await client.get("/healthz").header("X-Request-Id")
            #expect(first != second)
        }
    }
}
