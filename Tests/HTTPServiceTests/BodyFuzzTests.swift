internal import ExtendedJSON
internal import Foundation
internal import HTTPTypes
internal import Operations
internal import ServiceState
internal import SnapshotJSON
internal import Snapshots
internal import Testing

@testable internal import HTTPService

/// Bodies that the schema accepts, and what becomes of the service.
@Suite struct BodyFuzzTests {
    /// Bodies for each endpoint that takes one.
    private static let bodyCount = 15

    /// Every body that fits its schema is answered with 2xx or 4xx, and the service answers
    /// afterwards.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func whatTheSchemaAcceptsLeavesTheServiceAlive(seed: UInt64) async throws {
        print("BodyFuzzTests: seed \(seed)")
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve { client in
            var bodies = RandomBodies(seed: seed)
            var statuses: [Int: Int] = [:]
            for endpoint in client.service.endpoints {
                guard let body = endpoint.body else { continue }
                let path = endpoint.path.replacing(
                    "{backup_id}", with: ServiceFixture.damagedBackup)
                for _ in 0..<Self.bodyCount {
                    let text = bodies.body(body.schema).text
                    let answer = try await client.send(
                        endpoint.method, path, ServiceClient.Extras(body: text))
                    statuses[answer.status, default: 0] += 1
                    let isRight =
                        (200..<300).contains(answer.status)
                        || (400..<500).contains(answer.status)
                        // So many jobs wait, or the server that there is not was asked.
                        || [502, 503].contains(answer.status)
                    #expect(isRight, "seed \(seed): \(text.prefix(2000)): \(answer)")
                }
            }
            #expect(try await client.get("/healthz", as: nil).status == 200)
            // Bodies that are all refused would prove nothing.
            #expect((statuses[200] ?? 0) + (statuses[202] ?? 0) > 3, "\(statuses)")
        }
    }

    private static func patterns(_ count: Int, _ length: Int) -> String {
        (0..<count).map { "\"d\($0)." + String(repeating: "x", count: length) + "\"" }
            .joined(separator: ",")
    }

    private static let databases = (0..<500).map { number in
        "\"d\(number)" + String(repeating: "é", count: 59) + "\""
    }.joined(separator: ",")

    /// Selections beyond what a lock can hold, which fit the schema's lists.
    @Test(arguments: [
        ("POST", "backup/create", "{\"ns_include\":[\(patterns(500, 205))]}", "/ns_include"),
        ("POST", "backup/create", "{\"ns_exclude\":[\(patterns(500, 205))]}", "/ns_exclude"),
        (
            "POST", "backup/create",
            "{\"databases\":[\(databases)]}",
            "/databases"
        ),
        (
            "PUT", "backup/schedule",
            "{\"cron\":\"@daily\",\"backup\":{\"ns_include\":[\(patterns(500, 205))]}}",
            "/backup/ns_include"
        ),
        (
            "POST", "backup/20261123T084512Z-manual-3f9a1c/restore",
            "{\"ns_include\":[\(patterns(499, 5))],\"rename\":[{\"from\":\"a.*\",\"to\":\"b.*\"}]}",
            "/ns_include"
        ),
        (
            "POST", "backup/create",
            "{\"ns_include\":[\"d.\(String(repeating: "*a", count: 33))\"]}", "/ns_include/0"
        ),
    ])
    func aSelectionBeyondTheLimitsIs422(
        _ method: String, _ path: String, _ body: String, _ field: String
    ) async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let answer = try await client.send(
                try #require(HTTPRequest.Method(method)), path, ServiceClient.Extras(body: body))
            #expect(answer.status == 422, "\(answer)")
            #expect(try answer.faults == ["body \(field)"])
        }
    }

    /// A schedule that an older version took runs into an error, and the service goes on.
    @Test func aStoredScheduleBeyondTheLimitsFailsAsAJob() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve { client in
            let set = try await client.put("backup/schedule", #"{"cron": "* * * * *"}"#)
            #expect(set.status == 200)
            let environment = client.service.environment
            var schedule = try #require(try await environment.scheduler.current())
            schedule.request = "{\"ns_include\":[\(Self.patterns(1000, 205))]}"
            schedule.updatedAt = 0
            schedule.nextRunAt = 60_000
            _ = try await environment.state.putSchedule(schedule)
            let job = try #require(try await environment.scheduler.beginWhatIsDue())
            let ended = try await client.ended(job.id)
            #expect(try ended.string("status") == "FAILED")
            #expect(ended.text.contains("invalid_request"), "\(ended)")
            #expect(ended.text.contains("at most 500"), "\(ended)")
            #expect(try await client.get("/healthz", as: nil).status == 200)
        }
    }
}

/// How much work it is to find out what is wrong with a body.
@Suite struct SchemaWorkTests {
    private static let schema = Schema.object(FieldSchemas.backup)

    private func node(_ text: String) throws -> JSONNode {
        var reader = JSONReader(Array(text.utf8))
        return try reader.readText()
    }

    /// However much is wrong, a hundred faults are noted, and there the work ends.
    @Test(arguments: [1000, 75_000])
    func workEndsWithTheHundredthFault(_ count: Int) throws {
        let unknown = "{" + (0..<count).map { "\"u\($0)\":1" }.joined(separator: ",") + "}"
        let twice = "{" + (0..<count).map { _ in "\"level\":1" }.joined(separator: ",") + "}"
        let wrong = "{\"ns_include\":[" + (0..<count).map { _ in "1" }.joined(separator: ",") + "]}"
        for text in [unknown, twice, wrong] {
            var validation = SchemaValidation(.body)
            validation.check(try node(text), Self.schema, at: "")
            #expect(validation.errors.count == SchemaValidation.errorCountMax)
            #expect(validation.valueCount <= 2 * SchemaValidation.errorCountMax + 2)
            #expect(validation.hasEnded)
        }
    }

    /// Of a body with a few faults the rest is made by looking at each value once.
    @Test func theValidPartIsWhatHasNoFault() throws {
        let items = (0..<500).map { "\"d\($0).*\"" }.joined(separator: ",")
        let text = "{\"ns_include\":[\(items)],\"level\":true,\"x\":1}"
        var validation = SchemaValidation(.body)
        validation.check(try node(text), Self.schema, at: "")
        #expect(validation.errors.map(\.field) == ["/level", "/x"])
        let part = SoundPart(of: try node(text), without: ["/level", "/x", "/ns_include/3"])
        let rest = String(decoding: part.data, as: UTF8.self)
        #expect(rest == "{\"ns_include\":[\(items.replacing("\"d3.*\",", with: ""))]}")
        #expect(part.place(ofField: "ns_include/3") == "/ns_include/4")
    }

    /// A name is shown cut and without what could steer a terminal, in whatever way it is long.
    @Test func namesAreCutInPlaces() {
        #expect(
            JSONPointer.escaped("a" + String(repeating: "\u{301}", count: 5000)).utf8.count < 300)
        #expect(JSONPointer.escaped("a\u{9B}b\u{1B}/~") == "a?b?~1~0")
    }

    @Test(arguments: Way.allCases)
    func thousandsOfUnknownFieldsAreAnsweredWithAHundredFaults(_ way: Way) async throws {
        let body = "{" + (0..<75_000).map { "\"u\($0)\":1" }.joined(separator: ",") + "}"
        try await ServiceFixture.withoutServer().serve(way) { client in
            let answer = try await client.post("backup/create", body)
            #expect(answer.status == 422)
            #expect(try answer.faults.count == SchemaValidation.errorCountMax)
            let query = (0..<1000).map { "q\($0)=1" }.joined(separator: "&")
            let list = try await client.get("backup/list?\(query)")
            #expect(list.status == 422 || list.status == 431)
        }
    }
}
