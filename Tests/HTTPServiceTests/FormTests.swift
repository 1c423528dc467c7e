internal import AccessControl
internal import ExtendedJSON
internal import Foundation
internal import HTTPTypes
internal import Snapshots
internal import Testing

@testable internal import HTTPService

/// Numbers and texts mean what they say, or are refused; and every field is explained.
@Suite struct FormTests {
    @Test(
        arguments: [
            ("2", 2), ("2e0", 2), ("2E0", 2), ("2.0", 2), ("0.2e1", 2), ("20e-1", 2), ("-0", 0),
            ("0e400", 0), ("9223372036854775807", Int.max), ("9223372036854775807.0", Int.max),
            ("92233720368547758070e-1", Int.max), ("9223372036854775808", nil), ("1e400", nil),
            ("1e99999999999999999999", nil), ("1e-9223372036854775808", nil), ("0.5", nil),
            ("2e-1", nil),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("-9223372036854775808", Int.min), ("-2.50e1", -25),
        ] as [(String, Int?)])
    func aJSONNumberMeansWhatItSays(_ text: String, _ number: Int?) {
        #expect(WholeNumber.value(json: text) == number)
    }

    @Test(arguments: Way.allCases)
    func whatIsAskedForIsWhatIsDone(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            for (text, days) in [("2e0", 2), ("3.0", 3), ("-0", 0), ("0.4e1", 4)] {
                let body = #"{"cron": "@daily", "retention": {"keep_days": \#(text)}}"#
                let answer = try await client.put("backup/schedule", body)
                #expect(answer.status == 200, "\(text): \(answer)")
                #expect(try answer.number("retention", "keep_days") == days)
            }
            for text in ["1e400", "0.5", "12345678901234567890", "1e-1", "-1", "true", "\"2\""] {
                let body = #"{"cron": "@daily", "retention": {"keep_days": \#(text)}}"#
                let answer = try await client.put("backup/schedule", body)
                #expect(answer.status == 422, "\(text)")
                #expect(try answer.faults == ["body /retention/keep_days"])
            }
            for text in ["+5", "%2B5", "05", "%205", "5%20", "5.0", "5e0", "0x5", "-0", ""] {
                let answer = try await client.get("backup/list?limit=\(text)")
                #expect(answer.status == 422, "\(text)")
            }
            #expect(try await client.get("backup/list?limit=5").status == 200)
        }
    }

    @Test(arguments: Way.allCases)
    func charactersThatAreNotSeenAreRefused(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let bad = [
                "\\u0000", "\\u001b", "\\u007f", "\\u0085", "\\u202e", "\\u2066", "\\u2028",
                "\\u2029", "\\ufeff", "\\u200b", "\\u200f", "\\u00ad", "\\udb40\\udc41",
            ]
            for text in bad {
                let answer = try await client.post(
                    "backup/create", #"{"description": "a\#(text)b"}"#)
                #expect(answer.status == 422, "\(text)")
                #expect(try answer.faults == ["body /description"])
            }
            for text in ["\\ud800", "\\udc00", "\\ud800\\u0041"] {
                let answer = try await client.post(
                    "backup/create", #"{"description": "a\#(text)b"}"#)
                #expect(answer.status == 400, "\(text)")
            }
            for text in ["ü", "日本", "👨‍👩‍👧", "می‌خواهم", "a b"] {
                let answer = try await client.post(
                    "backup/create", #"{"description": "\#(text)"}"#)
                #expect(answer.status == 202, "\(text)")
            }
        }
    }

    /// The list, the pattern that clients are told and Unicode's categories say the same.
    @Test func theRefusedCharactersAreThoseOfTheirCategories() throws {
        let pattern = try SchemaValidation.expression(FreeText.pattern)
        var differing: [UInt32] = []
        for code in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(code) else { continue }
            let isMeant =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator:
                    ![0x200C, 0x200D].contains(code)
                default: false
                }
            guard isMeant else { continue }
            let text = String(Character(scalar))
            let fits = try pattern.wholeMatch(in: text) != nil
            if fits || FreeText.isAllowed(text) { differing.append(code) }
        }
        #expect(differing == [])
        for range in FreeText.refused {
            for code in [range.lowerBound &- 1, range.upperBound + 1] {
                guard let scalar = Unicode.Scalar(code),
                    !FreeText.refused.contains(where: { $0.contains(code) })
                else { continue }
                let text = String(Character(scalar))
                #expect(FreeText.isAllowed(text))
                #expect(try pattern.wholeMatch(in: text) != nil, "\(code)")
            }
        }
    }

    @Test func everyFieldIsExplained() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let document = try await client.get("/openapi.json", as: nil).json
            var silent: [String] = []
            func walk(_ node: JSONNode, _ place: String) {
                for member in node.members {
                    if member.name == "properties" {
                        for property in member.node.members {
                            let said = property.node.members
                                .first { $0.name == "description" }?.node.string
                            if said?.isEmpty ?? true { silent.append("\(place)/\(property.name)") }
                        }
                    }
                    walk(member.node, "\(place)/\(member.name)")
                }
                for (position, item) in node.items.enumerated() {
                    walk(item, "\(place)/\(position)")
                }
            }
            walk(document, "")
            #expect(silent == [])
            for endpoint in client.service.endpoints {
                #expect(!endpoint.summary.isEmpty, "\(endpoint.id)")
                for parameter in endpoint.parameters {
                    #expect(!parameter.description.isEmpty, "\(endpoint.id) \(parameter.name)")
                }
            }
        }
    }

    @Test func whatEveryEndpointMayAnswerIsSaidOnce() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let page = try await client.get("/docs", as: nil).text
            for common in Endpoint.problemsOfAll {
                let said = common.problem.description.split(separator: "`").first ?? ""
                // In the table, and where the problem's code is explained, not at each endpoint.
                let count = page.components(separatedBy: String(said)).count - 1
                #expect((1...2).contains(count), "\(said)")
            }
        }
    }

    /// A cluster time is seconds and an increment, wherever it stands.
    @Test(.needsServer) func aMomentHasOneFormEverywhere() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            let id = try await client.makeBackup()
            let list = try await client.get("backup/list")
            let details = try await client.get("backup/\(id)")
            let preview = try await client.post("backup/\(id)/restore")
            let found = try details.number("consistency", "cluster_time", "seconds")
            #expect(
                try list.number("backups", "0", "consistency", "cluster_time", "seconds") == found)
            #expect(try preview.number("cluster_time", "seconds") >= found)
            #expect(try details.value("selection", "databases").items.isEmpty)
        }
    }

    @Test func monitorsAreToldOfAllThatMatters() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(doesJobs: false) { client in
            _ = try await client.put("backup/schedule", #"{"cron": "@daily"}"#)
            _ = try await client.get("backup/list?limit=0")
            _ = try await client.get("/nothing")
            let job = try await client.post("backup/create").string("job_id")
            _ = try await client.post("jobs/\(job)/cancel")
            _ = try await client.delete("backup/\(ServiceFixture.damagedBackup)?force=true")
            let text = try await client.get("/metrics").text
            let wanted = [
                #"cairn_schedule_next_run_timestamp_seconds{schedule="default"} "#,
                #"cairn_schedule_enabled{schedule="default"} 1"#,
                #"cairn_job_last_status{kind="backup",status="CANCELED"} 1"#,
                #"cairn_job_last_status{kind="backup",status="SUCCEEDED"} 0"#,
                #"cairn_job_attempts_total{kind="scheduled_backup",schedule="default"} 0"#,
                #"cairn_backup_deletions_total{by="request",outcome="removed"} 1"#,
                #"cairn_backup_deletions_total{by="retention",outcome="removed"} 0"#,
                "cairn_state_free_bytes ", "cairn_jobs_stuck 0", "cairn_records_waiting 0",
                #"cairn_http_refusals_total{reason="invalid_request"} 1"#,
                #"cairn_http_refusals_total{reason="not_found"} 1"#,
                #"cairn_http_streams{kind="events"} 0"#, #"cairn_http_streams{kind="download"} 0"#,
                "process_cpu_seconds_total ", "process_resident_memory_bytes ",
                "process_open_fds ", "process_max_fds ", "process_start_time_seconds ",
                "cairn_build_info{version=",
            ]
            for part in wanted { #expect(text.contains("\n" + part), "\(part)") }
        }
    }

    @Test(arguments: Way.allCases)
    func readinessIsNotCountedAndFoundOutOnceASecond(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.addressRequestsPerMinute = 1
        fixture.options.readinessSeconds = 3600
        let folder = fixture.options.stateFolder
        try await fixture.serve(way, doesJobs: false) { client in
            for _ in 0..<5 {
                let answer = try await client.get("/readyz", as: nil)
                #expect(answer.status == 503)
                #expect(try answer.value("checks", "2", "ready").kindText == "true")
            }
            try FileManager.default.moveItem(atPath: folder, toPath: folder + ".gone")
            let answer = try await client.get("/readyz", as: nil)
            #expect(try answer.value("checks", "2", "ready").kindText == "true")
            try FileManager.default.moveItem(atPath: folder + ".gone", toPath: folder)
        }
    }
}
