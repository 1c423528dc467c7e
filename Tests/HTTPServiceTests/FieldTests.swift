internal import Foundation
internal import HTTPTypes
internal import Testing

@testable internal import HTTPService

/// What is wrong with a request's fields is told, all of it at once.
@Suite struct FieldTests {
    @Test(arguments: Way.allCases)
    func everyBadFieldOfABodyIsToldAtOnce(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let body = #"""
                {"backup_type": "Manual!", "databases": ["a.b", 3], "ns_include": "shop.*",
                "codec": "rar", "level": 99, "description": "a\nb", "unknown": 1}
                """#
            let answer = try await client.post(
                "backup/create", body, headers: ["Idempotency-Key": "with space"])
            #expect(answer.status == 422)
            #expect(
                try answer.faults == [
                    "body /backup_type", "body /codec", "body /databases/0", "body /databases/1",
                    "body /description", "body /level", "body /ns_include", "body /unknown",
                    "header Idempotency-Key",
                ])
        }
    }

    @Test(arguments: Way.allCases)
    func whatOnlyALayerBelowCanJudgeIsToldAtOnceToo(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let body =
                #"{"codec": "gzip", "level": 19, "databases": ["a"], "ns_include": ["a.*"]}"#
            let answer = try await client.post("backup/create", body)
            #expect(answer.status == 422)
            #expect(try answer.faults == ["body /databases", "body /level"])
        }
    }

    /// What is well-formed is judged though other fields are not; items keep their positions; and
    /// nothing is said of a field whose meaning another one decides that is wrong itself.
    @Test(arguments: [
        (
            "POST", "backup/create",
            #"{"level": 19, "databases": ["a", 5], "ns_include": ["a.*"], "description": 3}"#,
            ["/databases", "/databases/1", "/description", "/level"]
        ),
        ("POST", "backup/create", #"{"codec": "rar", "level": 19}"#, ["/codec"]),
        (
            "POST", "backup/create", #"{"databases": [], "ns_include": [], "ns_exclude": []}"#,
            ["/databases", "/ns_include"]
        ),
        (
            "PUT", "backup/schedule",
            #"{"cron": "61 * * * *", "time_zone": "Mars/Olympus", "jitter_seconds": -1,"#
                + #" "backup": {"level": 19, "codec": "gzip", "description": 3}}"#,
            ["/backup/description", "/backup/level", "/cron", "/jitter_seconds", "/time_zone"]
        ),
        (
            "PUT", "backup/schedule", #"{"time_zone": "Mars/Olympus"}"#, ["/cron", "/time_zone"]
        ),
        (
            "POST", "backup/20261123T084512Z-manual-3f9a1c/restore",
            #"{"mode": "merge", "in_place": true, "samples": "many","#
                + #" "rename": [{"from": "a.b"}, {"from": "a.*", "to": "b.c"}]}"#,
            ["/in_place", "/rename/0/to", "/rename/1", "/samples"]
        ),
        (
            "POST", "backup/20261123T084512Z-manual-3f9a1c/restore",
            #"{"mode": "replce", "in_place": true}"#, ["/mode"]
        ),
        (
            "POST", "backup/20261123T084512Z-manual-3f9a1c/restore", #"{"in_place": true}"#,
            ["/in_place"]
        ),
    ])
    func allLayersJudgeAtOnce(
        _ method: String, _ path: String, _ body: String, _ fields: [String]
    ) async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let answer = try await client.send(
                try #require(HTTPRequest.Method(method)), path, ServiceClient.Extras(body: body))
            #expect(answer.status == 422, "\(answer)")
            #expect(try answer.faults == fields.map { "body \($0)" })
        }
    }

    @Test(arguments: [
        (#"{"level": 1, "level": 1}"#, "/level"), (#"{"level": 1, "level": 2}"#, "/level"),
        (#"{"level": 1.5}"#, "/level"), (#"{"level": "1"}"#, "/level"),
        (#"{"level": true}"#, "/level"), (#"{"level": null}"#, "/level"),
        (#"{"level": 1e400}"#, "/level"), (#"{"level": 99999999999999999999}"#, "/level"),
        (#"{"a/b~": 1}"#, "/a~1b~0"), (#"{"": 1}"#, "/"), (#"{"Level": 1}"#, "/Level"),
        (#"{"description": "a\u0000b"}"#, "/description"),
        (#"{"description": "a\r\nb"}"#, "/description"),
        (#"{"backup_type": "manual\n"}"#, "/backup_type"),
        (#"{"backup_type": "../../etc"}"#, "/backup_type"),
        (#"{"databases": [""]}"#, "/databases/0"), ("[]", ""), ("3", ""), ("null", ""),
    ])
    func aFieldThatIsNotAsItHasToBeIs422(_ body: String, _ field: String) async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let answer = try await client.post("backup/create", body)
            #expect(answer.status == 422, "\(answer)")
            #expect(try answer.faults == ["body \(field)"])
        }
    }

    @Test func aWholeNumberMayBeSpelledWithAFraction() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            for body in [#"{"level": 1.0}"#, #"{"level": 1e0}"#] {
                let answer = try await client.post("backup/create", body)
                #expect(answer.status == 202, "\(answer)")
            }
        }
    }

    @Test func aProblemNeverRepeatsAValue() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let body = #"{"codec": "MY-VALUE", "description": 5, "ns_include": ["MY-VALUE"]}"#
            let answer = try await client.post("backup/create", body)
            #expect(answer.status == 422)
            #expect(!answer.text.contains("MY-VALUE"))
        }
    }

    @Test(arguments: Way.allCases)
    func queryParametersAreCheckedToo(_ way: Way) async throws {
        let cases = [
            ("backup/list?limit=0", "query limit"), ("backup/list?limit=1001", "query limit"),
            ("backup/list?limit=ten", "query limit"), ("backup/list?limit=%2B5x", "query limit"),
            ("backup/list?limit", "query limit"), ("backup/list?limit=1&limit=2", "query limit"),
            ("backup/list?nonsense=1", "query nonsense"), ("backup/list?=1", "query "),
            ("backup/list?%ff=1", "query "), ("backup/list?type=%ff", "query type"),
            ("backup/list?since=yesterday", "query since"),
            ("backup/list?since=2024-13-45T00:00:00Z", "query since"),
            ("backup/list?until=2024-02-30T00:00:00Z", "query until"),
            ("backup/list?status=FINE", "query status"), ("backup/list?type=a%00", "query type"),
            ("jobs?status=running", "query status"), ("jobs?kind=magic", "query kind"),
            ("jobs?cursor=%20", "query cursor"), ("jobs?cursor=abcd", "query cursor"),
            ("backup/list?cursor=abcd", "query cursor"), ("jobs?backup_id=x", "query backup_id"),
            ("backup/statistics?x=1", "query x"), ("/healthz?x=1", "query x"),
        ]
        try await ServiceFixture.withoutServer().serve(way) { client in
            for (path, fault) in cases {
                let answer = try await client.get(path)
                #expect(answer.status == 422, "\(path): \(answer)")
                if answer.status == 422 {
                    #expect(try answer.faults == [fault], "\(path)")
                }
            }
        }
    }

    @Test func everyBadQueryParameterIsToldAtOnce() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let answer = try await client.get(
                "backup/list?limit=0&since=2024-13-01T00:00:00Z&until=2024-14-01T00:00:00Z&x=1")
            #expect(
                try answer.faults == ["query limit", "query since", "query until", "query x"])
        }
    }

    @Test(arguments: [
        (#"{"mode": "merge", "in_place": true}"#, ["/in_place"]),
        (#"{"mode": "replace", "on_conflict": "keep"}"#, ["/on_conflict"]),
        (
            #"{"mode": "merge", "pre_restore_backup": true, "samples": 3}"#,
            ["/pre_restore_backup", "/samples"]
        ),
        (#"{"mode": "preview", "pre_restore_backup": false}"#, ["/pre_restore_backup"]),
        (#"{"mode": "destroy"}"#, ["/mode"]), (#"{"rename": [{"from": "a.b"}]}"#, ["/rename/0/to"]),
        (#"{"rename": [{"from": "a.*", "to": "b.c"}]}"#, ["/rename/0"]),
        (#"{"samples": 1001}"#, ["/samples"]),
    ])
    func aRestoreThatCannotBeIsRefused(_ body: String, _ fields: [String]) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve { client in
            let answer = try await client.post(
                "backup/\(ServiceFixture.damagedBackup)/restore", body)
            #expect(answer.status == 422, "\(answer)")
            #expect(try answer.faults == fields.map { "body \($0)" })
        }
    }
}

extension ServiceFixture {
    /// The identifier of a file in the repository that is no archive.
    static let damagedBackup = "20240101T000000Z-manual-0a1b2c"

    /// Puts that file there.
    func plantDamagedBackup() throws {
        try FileManager.default.createDirectory(
            atPath: options.repositoryFolder, withIntermediateDirectories: true)
        try Data("this is no archive".utf8).write(
            to: URL(
                filePath: "\(options.repositoryFolder)/\(Self.damagedBackup).archive.gz"))
    }
}
