internal import AccessControl
internal import ServiceState
internal import Testing

@testable internal import HTTPService

/// How much anybody may ask.
@Suite struct LimitTests {
    @Test(arguments: Way.allCases)
    func whoAsksTooOftenHasToWait(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.subjectRequestsPerMinute = 3
        try await fixture.serve(way) { client in
            for _ in 0..<3 { #expect(try await client.get("backup/list").status == 200) }
            let answer = try await client.get("backup/list")
            #expect(answer.status == 429)
            #expect(answer.header("Retry-After").flatMap { Int($0) } ?? 0 > 0)
            #expect(answer.header("RateLimit")?.contains("subject") == true)
            #expect(answer.header("RateLimit-Policy")?.contains("subject") == true)
            #expect(try await client.get("backup/list", as: .admin).status == 200)
        }
    }

    @Test(arguments: Way.allCases)
    func whatIsOpenToEverybodyIsLimitedByAddress(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.addressRequestsPerMinute = 3
        try await fixture.serve(way) { client in
            var statuses: [Int] = []
            for _ in 0..<4 { statuses.append(try await client.get("/docs", as: nil).status) }
            #expect(statuses == [200, 200, 200, 429])
            // A probe is not to take a busy service for a dead one.
            #expect(try await client.get("/healthz", as: nil).status == 200)
        }
    }

    @Test(arguments: Way.allCases)
    func guessingTokensIsLimited(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.refusedTokensPerMinute = 3
        try await fixture.serve(way) { client in
            let bad = ["Authorization": "Bearer guess"]
            var statuses: [Int] = []
            for _ in 0..<4 {
                let answer = try await client.get("backup/list", as: nil, headers: bad)
                statuses.append(answer.status)
            }
            #expect(statuses == [401, 401, 401, 429])
            // Others may share the address.
            #expect(try await client.get("backup/list").status == 200)
        }
    }

    /// Who may be refused as often as they like must not make the log grow as fast.
    @Test func whatIsRefusedForItsNumberIsNotAudited() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.subjectRequestsPerMinute = 2
        try await fixture.serve(doesJobs: false) { client in
            for _ in 0..<10 { _ = try await client.post("backup/create") }
            #expect(try await client.fixture.audit().compactMap(\.status) == [202, 202])
        }
    }
}
