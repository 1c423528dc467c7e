internal import ExtendedJSON
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// What clients are told when what the service stands on is gone.
@Suite struct OutageTests {
    /// A disk that is not mounted must not look like backups that do not exist.
    @Test(arguments: Way.allCases)
    func aRepositoryThatIsGoneIsNoMissingBackup(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        let folder = fixture.options.repositoryFolder
        try await fixture.serve(way) { client in
            let id = ServiceFixture.damagedBackup
            #expect(try await client.get("backup/list").count("backups") == 1)
            try FileManager.default.moveItem(atPath: folder, toPath: folder + ".gone")
            let paths = ["list", "statistics", id, "\(id)/download", "\(id)/documents/a/b/1"]
            var answers: [Answer] = []
            for path in paths { answers.append(try await client.get("backup/\(path)")) }
            answers.append(try await client.post("backup/\(id)/verify"))
            answers.append(try await client.delete("backup/\(id)"))
            answers.append(try await client.post("backup/cleanup", #"{"dry_run": true}"#))
            for answer in answers {
                #expect(answer.status == 503, "\(answer)")
                #expect(try answer.string("code") == "repository_unavailable")
                #expect(!answer.text.contains(folder), "\(answer)")
            }
            let ready = try await client.get("/readyz", as: nil)
            #expect(try ready.string("checks", "1", "code") == "repository_unavailable")
            try FileManager.default.moveItem(atPath: folder + ".gone", toPath: folder)
            #expect(try await client.get("backup/list").count("backups") == 1)
        }
    }

    /// What can't be written down is not begun, so that the service is not ready for it.
    @Test func withoutItsStateTheServiceIsNotReady() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let folder = fixture.options.stateFolder
        try await fixture.serve(doesJobs: false) { client in
            try FileManager.default.moveItem(atPath: folder, toPath: folder + ".gone")
            let ready = try await client.get("/readyz", as: nil)
            #expect(ready.status == 503)
            #expect(try ready.string("checks", "2", "name") == "state")
            #expect(try ready.value("checks", "2", "ready").kindText == "false")
            try FileManager.default.moveItem(atPath: folder + ".gone", toPath: folder)
            let again = try await client.get("/readyz", as: nil)
            #expect(try again.value("checks", "2", "ready").kindText == "true")
        }
    }
}
