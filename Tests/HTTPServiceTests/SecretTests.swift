internal import AccessControl
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// What nobody may read: every test looks for the tokens, the secret and documents' contents in the
/// log and in answers that show none; here are the places where they would most likely be.
@Suite struct SecretTests {
    /// Whether the search would find anything.
    @Test func theLogIsCaptured() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve { client in
            _ = try await client.get("backup/list")
            _ = try await client.get("jobs/20261123T084512Z-backup-3f9a1c")
            _ = try await client.get("/wp-login.php")
            // What anybody may ask for is no label: there would be no end of them.
            let metrics = try await client.get("/metrics").text
            #expect(metrics.contains("route=\"none\"") && !metrics.contains("NotFound"))
        }
        #expect(fixture.log.contains("answered"))
        #expect(fixture.log.contains("route=/api/phase14/backup/list"))
        #expect(fixture.log.contains("route=/api/phase14/jobs/{job_id}"))
        #expect(fixture.log.contains("route=none") && !fixture.log.contains("wp-login"))
    }

    @Test(.needsServer, arguments: Way.allCases)
    func thePasswordOfTheDatabaseIsInNoAnswerAndNoLog(_ way: Way) async throws {
        let uri = try await ServiceFixture.sharedURI(
            credentials: "cairn:\(ServiceFixture.password)@")
        let fixture = try await ServiceFixture(uri: uri)
        try await fixture.serve(way) { client in
            let answer = try await client.post(
                "backup/create", "{}", headers: ["Prefer": "wait=60"])
            #expect(try answer.string("status") == "FAILED")
            #expect(try answer.string("error", "code") == "authentication")
            #expect(try await client.get("/readyz", as: nil).status == 503)
        }
        #expect(fixture.log.contains("job ended"))
    }

    @Test(arguments: Way.allCases)
    func aTokenInAQueryIsNotLogged(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let token = client.fixture.tokens[.superAdmin] ?? ""
            for path in ["backup/list?token=\(token)", "/\(token)", "jobs/\(token)"] {
                let answer = try await client.get(path, as: nil)
                #expect([401, 404].contains(answer.status))
            }
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func documentsAreShownWhereTheyAreAskedForOnly(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 5)
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            try await fixture.drop()
            try await fixture.fill(count: 5, note: "other")
            let preview = try await client.post("backup/\(id)/restore", #"{"samples": 5}"#)
            #expect(preview.status == 200)
            let merge = try await client.post(
                "backup/\(id)/restore", #"{"mode": "merge"}"#, headers: ["Prefer": "wait=60"])
            #expect(try merge.string("status") == "SUCCEEDED")
        }
    }
}
