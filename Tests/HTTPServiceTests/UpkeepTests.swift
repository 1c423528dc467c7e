internal import AccessControl
internal import ExtendedJSON
internal import Foundation
internal import Synchronization
internal import Testing

@testable internal import HTTPService

/// Identifiers, descriptions, verification, deletion, retention and single documents over HTTP.
@Suite(.needsServer) struct UpkeepTests {
    private static let wait = ["Prefer": "wait=60"]

    @Test(arguments: Way.allCases)
    func theIdentifierThatIsPromisedIsTheBackups(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let answer = try await client.post(
                "backup/create", fixture.backupBody, headers: Self.wait)
            let id = try answer.string("backup_id")
            #expect(try await client.get("backup/\(id)").status == 200)
        }
    }

    @Test func theDescriptionIsInListAndDetails() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            let id = try await client.makeBackup(
                #"{"databases": ["\#(fixture.database)"], "description": "before the move"}"#)
            let list = try await client.get("backup/list")
            #expect(try list.string("backups", "0", "description") == "before the move")
            let details = try await client.get("backup/\(id)")
            #expect(try details.string("description") == "before the move")
        }
    }

    @Test(arguments: Way.allCases)
    func aBackupIsVerified(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            let answer = try await client.post(
                "backup/\(id)/verify", as: .admin, headers: Self.wait)
            #expect(answer.status == 200)
            #expect(try answer.string("status") == "SUCCEEDED")
            let list = try await client.get("backup/list")
            #expect(try list.string("backups", "0", "verification", "outcome") == "ok")
        }
    }

    @Test func aDamagedBackupFailsItsVerification() async throws {
        let fixture = try await ServiceFixture()
        try fixture.plantDamagedBackup()
        try await fixture.serve { client in
            let answer = try await client.post(
                "backup/\(ServiceFixture.damagedBackup)/verify", headers: Self.wait)
            #expect(try answer.string("status") == "FAILED")
        }
    }

    @Test(arguments: Way.allCases)
    func aBackupIsDeleted(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            fixture.clock.advance(seconds: 2)
            _ = try await client.makeBackup()
            let answer = try await client.delete("backup/\(id)")
            #expect(answer.status == 204)
            #expect(try await client.get("backup/\(id)").status == 404)
            #expect(try await client.delete("backup/\(id)").status == 404)
        }
    }

    @Test func theLastVerifiedBackupIsDeletedByForceOnly() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            let id = try await client.makeBackup()
            _ = try await client.post("backup/\(id)/verify", headers: Self.wait)
            #expect(try await client.delete("backup/\(id)").status == 409)
            #expect(try await client.delete("backup/\(id)?force=true").status == 204)
        }
    }

    @Test(arguments: Way.allCases)
    func retentionTellsWhatItWouldRemoveAndThenDoes(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            for _ in 0..<3 {
                _ = try await client.makeBackup()
                fixture.clock.advance(seconds: 2)
            }
            let dry = try await client.post(
                "backup/cleanup", #"{"dry_run": true, "max_count": 1}"#)
            #expect(dry.status == 200)
            #expect(try dry.count("removed") == 2)
            #expect(try dry.count("kept") == 1)
            #expect(try await client.get("backup/list").count("backups") == 3)
            let wet = try await client.post("backup/cleanup", #"{"max_count": 1}"#)
            #expect(try wet.count("kept") == 1)
            #expect(try await client.get("backup/list").count("backups") == 1)
        }
    }

    /// A job that waits for its turn needs its backups as much as one that reads.
    @Test func whatAJobWillNeedIsNotRemoved() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        let ids = Mutex<[String]>([])
        try await fixture.serve { client in
            for _ in 0..<4 {
                let id = try await client.makeBackup()
                ids.withLock { $0.append(id) }
                fixture.clock.advance(seconds: 2)
            }
        }
        let made = ids.withLock { $0 }
        try await fixture.serve(doesJobs: false) { client in
            let restore = try await client.post("backup/\(made[0])/restore", #"{"mode": "merge"}"#)
            #expect(try restore.string("status") == "PENDING")
            _ = try await client.get("backup/\(made[1])/diff/\(made[2])")
            for id in made.prefix(3) {
                let answer = try await client.delete("backup/\(id)?force=true")
                #expect(answer.status == 409)
                #expect(try answer.string("code") == "locked")
            }
            // Nobody needs it any more.
            let job = try restore.string("job_id")
            #expect(try await client.post("jobs/\(job)/cancel").string("status") == "CANCELED")
            #expect(try await client.delete("backup/\(made[0])").status == 204)
        }
    }

    @Test(arguments: Way.allCases)
    func oneDocumentIsShown(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            let path = "backup/\(id)/documents/\(fixture.database)/items"
            #expect(try await client.get("\(path)/7", as: .viewer).status == 403)
            let answer = try await client.get("\(path)/7")
            #expect(answer.status == 200)
            #expect(try answer.string("_id", "$numberInt") == "7")
            #expect(try answer.string("note") == ServiceFixture.documentContents)
            #expect(try await client.get("\(path)/%227%22").status == 404)
            #expect(try await client.get("\(path)/99").status == 404)
            let unreadable = try await client.get("\(path)/%7Bbad")
            #expect(unreadable.status == 422)
            #expect(try unreadable.faults == ["path _id"])
            let elsewhere = "backup/\(id)/documents/\(fixture.database)/nothing/7"
            #expect(try await client.get(elsewhere).status == 404)
        }
    }

    @Test func statisticsSumUpTheRepository() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            _ = try await client.makeBackup()
            let answer = try await client.get("backup/statistics", as: .viewer)
            #expect(try answer.number("jobs", "succeeded") == 1)
            #expect(try !answer.value("repository").members.isEmpty)
        }
    }
}
