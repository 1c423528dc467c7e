internal import AccessControl
internal import ExtendedJSON
internal import Testing

@testable internal import HTTPService

/// Restores over HTTP: what is written, and what is kept of what was there.
@Suite(.needsServer) struct RestoreTests {
    private static let wait = ["Prefer": "wait=60"]

    @Test(arguments: Way.allCases)
    func withoutAModeNothingIsWritten(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 20)
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            try await fixture.drop()
            try await fixture.fill(count: 5, note: "another")
            for body in [nil, "{}", #"{"mode": "preview"}"#] {
                let answer = try await client.post("backup/\(id)/restore", body)
                #expect(answer.status == 200)
                #expect(try answer.string("mode") == "preview")
                #expect(try answer.number("to_insert") == 15)
                #expect(try answer.number("to_overwrite") == 5)
                #expect(try answer.number("only_live") == 0)
                #expect(try answer.string("backup_id") == id)
            }
            #expect(try await fixture.count() == 5)
            #expect(try await client.get("backup/list").count("backups") == 1)
        }
    }

    @Test func indexesCanBeLeftOutAndOldOnesConverted() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 3)
        try await fixture.serve { client in
            let id = try await client.makeBackup()
            for field in ["no_indexes", "convert_legacy_indexes"] {
                let preview = try await client.post(
                    "backup/\(id)/restore", "{\"\(field)\": true}")
                #expect(preview.status == 200, "\(preview)")
                #expect(try preview.count("adjustments") == 0)
                let answer = try await client.post(
                    "backup/\(id)/restore", "{\"mode\": \"replace\", \"\(field)\": true}",
                    headers: Self.wait)
                #expect(answer.status == 200, "\(answer)")
                #expect(try await fixture.count() == 3)
                let wrong = try await client.post("backup/\(id)/restore", "{\"\(field)\": 1}")
                #expect(wrong.status == 400 || wrong.status == 422)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func aReplaceBacksUpFirstWhatItReplaces(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 20)
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            try await fixture.drop()
            try await fixture.fill(count: 5, note: "another")
            let answer = try await client.post(
                "backup/\(id)/restore", #"{"mode": "replace"}"#, headers: Self.wait)
            #expect(answer.status == 200, "\(answer)")
            #expect(try await fixture.count() == 20)
            let job = try await client.get("jobs/\(try answer.string("job_id"))")
            let before = try job.string("result", "pre_restore_backup_id")
            let details = try await client.get("backup/\(before)")
            #expect(try details.string("backup_type") == "pre_restore")
            #expect(try details.number("documents") == 5)
        }
    }

    @Test(arguments: Way.allCases)
    func aReplaceBacksUpNothingWhenToldNotTo(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            let answer = try await client.post(
                "backup/\(id)/restore", #"{"mode": "replace", "pre_restore_backup": false}"#,
                headers: Self.wait)
            let job = try await client.get("jobs/\(try answer.string("job_id"))")
            #expect(try job.value("result", "pre_restore_backup_id").isNull)
            #expect(try await client.get("backup/list").count("backups") == 1)
        }
    }

    @Test func aReplaceOfWhatIsNotThereBacksUpNothing() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            let id = try await client.makeBackup()
            try await fixture.drop()
            let answer = try await client.post(
                "backup/\(id)/restore", #"{"mode": "replace"}"#, headers: Self.wait)
            #expect(try answer.string("status") == "SUCCEEDED")
            #expect(try await fixture.count() == 20)
            let job = try await client.get("jobs/\(try answer.string("job_id"))")
            #expect(try job.value("result", "pre_restore_backup_id").isNull)
        }
    }

    @Test(arguments: Way.allCases)
    func aMergeKeepsWhatIsOnlyLive(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 5)
        try await fixture.serve(way) { client in
            let id = try await client.makeBackup()
            try await fixture.drop()
            try await fixture.fill(count: 20, note: "another")
            let answer = try await client.post(
                "backup/\(id)/restore", #"{"mode": "merge"}"#, headers: Self.wait)
            #expect(try answer.string("status") == "SUCCEEDED")
            #expect(try await fixture.count() == 20)
        }
    }

    @Test func aCollectionComesBackUnderAnotherName() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            let id = try await client.makeBackup()
            let names =
                #"{"from": "\#(fixture.database).items", "to": "\#(fixture.database).more"}"#
            let answer = try await client.post(
                "backup/\(id)/restore", #"{"mode": "replace", "rename": [\#(names)]}"#,
                headers: Self.wait)
            #expect(try answer.string("status") == "SUCCEEDED", "\(answer)")
            #expect(try await fixture.count("more") == 20)
        }
    }

    @Test(arguments: Way.allCases)
    func aDamagedBackupIsNotRestored(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try fixture.plantDamagedBackup()
        try await fixture.serve(way) { client in
            let path = "backup/\(ServiceFixture.damagedBackup)"
            #expect(try await client.get(path).status == 409)
            #expect(try await client.post("\(path)/restore").status == 409)
            let list = try await client.get("backup/list?status=DAMAGED")
            #expect(try list.string("backups", "0", "backup_id") == ServiceFixture.damagedBackup)
            #expect(try await client.get("backup/list?status=COMPLETED").count("backups") == 0)
            let answer = try await client.post(
                "\(path)/restore", #"{"mode": "replace"}"#, headers: Self.wait)
            #expect(try answer.string("status") == "FAILED")
        }
    }

    @Test(arguments: Way.allCases)
    func whatChangedBetweenTwoBackupsIsTold(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 5)
        try await fixture.serve(way) { client in
            let first = try await client.makeBackup()
            try await fixture.drop()
            try await fixture.fill(count: 7)
            let second = try await client.makeBackup()
            let answer = try await client.get("backup/\(first)/diff/\(second)", as: .viewer)
            #expect(answer.status == 200)
            #expect(try answer.string("first") == first)
            #expect(try answer.number("collections", "0", "only_in_second") == 2)
            #expect(try answer.number("collections", "0", "equal") == 5)
            let same = try await client.get("backup/\(first)/diff/\(first)?samples=0")
            #expect(try same.value("equal").kindText == "true")
        }
    }

    /// A caller who waits gets an answer for it, not a timeout.
    @Test func whoWaitsForAPreviewInVainIsToldOfTheJob() async throws {
        var fixture = try await ServiceFixture()
        try fixture.plantDamagedBackup()
        fixture.options.handlingSecondsMax = 3
        try await fixture.serve(doesJobs: false) { client in
            let answer = try await client.post(
                "backup/\(ServiceFixture.damagedBackup)/restore", "{}",
                headers: ["Prefer": "wait=2"])
            #expect(answer.status == 202, "\(answer)")
            #expect(answer.header("Preference-Applied") == "wait=2")
        }
    }

    /// A record holds a MiB; a job whose result is larger must end all the same.
    @Test func aResultThatIsTooLargeToKeepEndsTheJob() async throws {
        let fixture = try await ServiceFixture()
        let note = String(repeating: "a long note ", count: 300)
        try await fixture.fill(count: 800, note: note)
        try await fixture.serve { client in
            let id = try await client.makeBackup()
            try await fixture.drop()
            try await fixture.fill(count: 800, note: note + "!")
            let answer = try await client.post(
                "backup/\(id)/restore", #"{"samples": 1000}"#,
                headers: ["Prefer": "wait=60", "Idempotency-Key": "large"])
            #expect(answer.status == 422, "\(answer)")
            #expect(try answer.string("code") == "result_too_large")
            let unfinished = try await client.get("jobs?status=IN_PROGRESS")
            #expect(try unfinished.number("total") == 0)
        }
    }
}
