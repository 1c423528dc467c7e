internal import AccessControl
internal import ExtendedJSON
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// Lists, page by page.
@Suite struct ListTests {
    @Test(arguments: Way.allCases)
    func pagesOfJobsNeitherRepeatNorHideOneWhileNewOnesArrive(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            var made: [String] = []
            for _ in 0..<5 { made.append(try await client.post("backup/create").string("job_id")) }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let place = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await client.get("jobs?limit=2\(place)")
                seen += try page.value("jobs").items.map { try $0.value(["job_id"]).string ?? "" }
                cursor = try page.value("next_cursor").string
                _ = try await client.post("backup/create")
                client.fixture.clock.advance(seconds: 1)
            } while cursor != nil
            #expect(Set(seen) == Set(made))
            #expect(seen.count == made.count)
            #expect(try await client.get("jobs?limit=1").number("total") == 8)
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func pagesOfBackupsNeitherRepeatNorHideOneWhileNewOnesArrive(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 1)
        try await fixture.serve(way) { client in
            var made: [String] = []
            for _ in 0..<3 {
                made.insert(try await client.makeBackup(), at: 0)
                fixture.clock.advance(seconds: 2)
            }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let place = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await client.get("backup/list?limit=2\(place)")
                seen += try page.value("backups").items.map {
                    try $0.value(["backup_id"]).string ?? ""
                }
                cursor = try page.value("next_cursor").string
                _ = try await client.makeBackup()
                fixture.clock.advance(seconds: 2)
            } while cursor != nil
            #expect(seen == made)
            #expect(try await client.get("backup/list?limit=1").number("totals", "backups") == 5)
        }
    }

    /// A symbolic link in the repository is no backup, and is not passed over without a word.
    @Test(arguments: Way.allCases)
    func whatIsNoBackupIsNamed(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let folder = fixture.folder.path + "/repository"
        try await fixture.serve(way) { client in
            #expect(try await client.get("backup/list").value("ignored").items.isEmpty)
            let name = "20261123T084512Z-manual-3f9a1c.archive.gz"
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(name)", withDestinationPath: "/nowhere")
            let page = try await client.get("backup/list")
            let ignored = try page.value("ignored").items
            #expect(ignored.count == 1)
            #expect(try ignored.first?.value(["name"]).string == name)
            #expect(try ignored.first?.value(["reason"]).string?.contains("link") == true)
            #expect(try page.value("backups").items.isEmpty)
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func backupsAreFoundByKindAndTime(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 1)
        try await fixture.serve(way) { client in
            let first = try await client.makeBackup()
            fixture.clock.advance(seconds: 60)
            let database = fixture.database
            let second = try await client.makeBackup(
                #"{"backup_type": "nightly", "databases": ["\#(database)"]}"#)
            let begun = try await client.get("backup/\(second)").string("created")
            let cases = [
                ("type=manual", [first]), ("type=nightly", [second]), ("type=none", []),
                ("since=\(begun)", [second]), ("until=\(begun)", [first]),
                ("type=manual&since=\(begun)", []),
                ("since=2020-01-01T00:00:00.5Z", [second, first]),
            ]
            for (query, expected) in cases {
                let page = try await client.get("backup/list?\(query)")
                let found = try page.value("backups").items.map {
                    try $0.value(["backup_id"]).string ?? ""
                }
                #expect(found == expected, "\(query)")
                #expect(try page.number("totals", "backups") == expected.count)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func jobsAreFoundByStatusKindAndBackup(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(way, doesJobs: false) { client in
            let backup = try await client.post("backup/create").string("job_id")
            let id = ServiceFixture.damagedBackup
            let verify = try await client.post("backup/\(id)/verify").string("job_id")
            _ = try await client.post("jobs/\(backup)/cancel")
            let cases = [
                ("kind=backup", [backup]), ("kind=verify", [verify]), ("kind=restore", []),
                ("status=CANCELED", [backup]), ("status=PENDING", [verify]),
                ("status=PENDING&kind=backup", []), ("backup_id=\(id)", [verify]),
                ("until=2020-01-01T00:00:00Z", []),
            ]
            for (query, expected) in cases {
                let page = try await client.get("jobs?\(query)", as: .viewer)
                let found = try page.value("jobs").items.map {
                    try $0.value(["job_id"]).string ?? ""
                }
                #expect(found == expected, "\(query)")
            }
        }
    }
}
