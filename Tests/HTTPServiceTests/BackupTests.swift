internal import AccessControl
internal import Testing

@testable internal import HTTPService

/// Backups over HTTP, as people make and look at them.
@Suite(.needsServer) struct BackupTests {
    @Test(arguments: Way.allCases)
    func aBackupIsAJobAndThenInTheList(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let started = try await client.post("backup/create", fixture.backupBody)
            #expect(started.status == 202)
            let job = try started.string("job_id")
            #expect(started.header("Location") == "/api/phase14/jobs/\(job)")
            let ended = try await client.ended(job)
            #expect(try ended.string("status") == "SUCCEEDED")
            #expect(try ended.string("created_by") == "super_admin-person")
            let id = try ended.string("backup_id")
            let list = try await client.get("backup/list")
            #expect(try list.string("backups", "0", "backup_id") == id)
            #expect(try list.string("backups", "0", "status") == "COMPLETED")
            #expect(try list.number("totals", "documents") == 20)
            let details = try await client.get("backup/\(id)")
            #expect(details.status == 200)
            #expect(try details.string("backup_id") == id)
            #expect(try details.string("collections", "0", "collection") == "items")
        }
    }
}
