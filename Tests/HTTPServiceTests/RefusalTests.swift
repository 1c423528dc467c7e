internal import AccessControl
internal import Foundation
internal import HTTPTypes
internal import Testing

@testable internal import HTTPService

/// Each class of refusal, and what it says.
@Suite struct RefusalTests {
    private static let missing = "20240101T000000Z-manual-0a1b2c"

    @Test(arguments: Way.allCases)
    func aBodyThatIsNoJSONIs400(_ way: Way) async throws {
        let bodies = [
            "{", "{\"mode\": }", "{} {}", "\u{FEFF}{}", "{'mode': 'merge'}", "nul",
            String(repeating: "[", count: 100_000),
        ]
        try await ServiceFixture.withoutServer().serve(way) { client in
            for body in bodies {
                let answer = try await client.post("backup/create", body)
                #expect(answer.status == 400, "\(body.prefix(20)): \(answer)")
                #expect(try answer.string("code") == "malformed_json")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func aMissingBodyIs400WhereOneIsNeeded(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let answer = try await client.put("backup/schedule")
            #expect(answer.status == 400)
            #expect(try answer.string("code") == "no_body")
        }
    }

    @Test(arguments: Way.allCases)
    func withoutAGoodTokenItIs401AndNoMoreIsSaid(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let grant = TokenGrant(subject: "late", role: .superAdmin, lifetimeSeconds: 1)
        let expired = try await fixture.issuer.issue(
            grant, now: fixture.clock.date.addingTimeInterval(-3600))
        try await fixture.serve(way) { client in
            let none = try await client.get("backup/list", as: nil)
            #expect(none.status == 401)
            #expect(try none.string("code") == "no_token")
            let basic = try await client.get(
                "backup/list", as: nil, headers: ["Authorization": "Basic YTpi"])
            #expect(try basic.string("code") == "no_token")
            for token in ["garbage", "a.b.c", "", "é", String(repeating: "a", count: 9000)] {
                let answer = try await client.get(
                    "backup/list", as: nil, headers: ["Authorization": "Bearer \(token)"])
                #expect(answer.status == 401, "\(token.prefix(10))")
            }
            let late = try await client.get(
                "backup/list", as: nil, headers: ["Authorization": "Bearer \(expired)"])
            #expect(late.status == 401)
            #expect(try late.string("code") == "token_expired")
            #expect(late.header("WWW-Authenticate")?.contains("invalid_token") == true)
        }
    }

    @Test(arguments: Way.allCases)
    func everyRoleMayDoWhatTheMatrixSaysAndNothingElse(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            for endpoint in client.service.endpoints {
                guard case .permitted(let permission) = endpoint.access else { continue }
                for role in Role.allCases {
                    let isAllowed = PermissionMatrix.standard.allows(role, permission)
                    let answer = try await client.probe(endpoint, role)
                    #expect(
                        (answer.status == 403) == !isAllowed,
                        "\(role.rawValue) \(endpoint.id): \(answer)")
                    guard !isAllowed else { continue }
                    #expect(try answer.string("code") == "not_permitted")
                    #expect(try answer.string("detail").contains(permission.rawValue))
                }
                let nobody = try await client.probe(endpoint, nil)
                #expect(nobody.status == 401, "\(endpoint.id)")
            }
        }
    }

    @Test func onlyTheRootIsOpenToEverybody() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let open = client.service.endpoints.filter(\.isOpen).map(\.path).sorted()
            #expect(open == ["/docs", "/healthz", "/openapi.json", "/readyz"])
        }
    }

    @Test(arguments: Way.allCases)
    func whatIsNotThereIs404(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let paths = [
                "/", "/nothing", "/api", "/api/phase14", "/api/phase15/backup/list", "backup",
                "backup/\(Self.missing)/nothing", "/HEALTHZ", "/healthz/more",
            ]
            for path in paths {
                let answer = try await client.get(path)
                #expect(answer.status == 404, "\(path): \(answer)")
            }
            #expect(try await client.get("backup/\(Self.missing)").status == 404)
            #expect(try await client.get("jobs/\(Self.missing)").status == 404)
            #expect(try await client.get("jobs/\(Self.missing)/events").status == 404)
            #expect(try await client.post("jobs/\(Self.missing)/cancel").status == 404)
            #expect(try await client.post("jobs/\(Self.missing)/resume").status == 404)
            #expect(try await client.post("backup/\(Self.missing)/restore").status == 404)
            #expect(try await client.post("backup/\(Self.missing)/verify").status == 404)
            let diff = try await client.get("backup/\(Self.missing)/diff/\(Self.missing)")
            #expect(diff.status == 404)
            #expect(try await client.get("backup/schedule").status == 404)
        }
    }

    @Test(arguments: Way.allCases)
    func aWrongMethodIs405AndTheRightOnesAreTold(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let cases: [(HTTPRequest.Method, String, String)] = [
                (.get, "backup/create", "POST"), (.post, "backup/list", "GET, HEAD"),
                (.delete, "backup/schedule", "GET, HEAD, PUT"), (.put, "jobs", "GET, HEAD"),
                (.post, "/healthz", "GET, HEAD"), (.head, "backup/create", "POST"),
                (.patch, "backup/\(Self.missing)", "DELETE, GET, HEAD"),
                (.options, "backup/\(Self.missing)/restore", "POST"),
                (.trace, "/docs", "GET, HEAD"),
            ]
            for (method, path, allowed) in cases {
                let answer = try await client.send(method, path)
                #expect(answer.status == 405, "\(method) \(path): \(answer)")
                #expect(answer.header("Allow") == allowed, "\(method) \(path)")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func aBodyThatIsTooLargeIs413(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.bodyByteCountMax = 1000
        try await fixture.serve(way) { client in
            let description = String(repeating: "a", count: 1000)
            let body = #"{"description": "\#(description)"}"#
            let answer = try await client.post("backup/create", body)
            #expect(answer.status == 413)
            #expect(try answer.string("detail").contains("1000 bytes"))
        }
    }

    @Test(arguments: Way.allCases)
    func aBodyOfAnotherTypeIs415(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            for type in ["text/plain", "application/x-www-form-urlencoded", "json", "", nil] {
                let extras = ServiceClient.Extras(body: "{}", contentType: type)
                let answer = try await client.send(.post, "backup/create", extras)
                #expect(answer.status == 415, "\(type ?? "none")")
            }
            let extras = ServiceClient.Extras(
                body: "{}", contentType: "Application/JSON; charset=utf-8")
            #expect(try await client.send(.post, "backup/create", extras).status == 202)
        }
    }
}

extension ServiceClient {
    /// Asks for something in a way that begins nothing.
    fileprivate func probe(_ endpoint: Endpoint, _ role: Role?) async throws -> Answer {
        let path = endpoint.path.replacing(/\{[a-z_]+\}/, with: "x")
        let body = endpoint.body == nil ? nil : #"{"no_such_field": 1}"#
        return try await send(endpoint.method, path, Extras(role: role, body: body))
    }
}
