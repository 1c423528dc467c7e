internal import AccessControl
internal import Foundation
internal import HTTPTypes
internal import Operations
internal import ServiceState
internal import Testing

@testable internal import HTTPService

/// Answers that last: how long, how many, and what ends them.
@Suite struct StreamTests {
    private static func waiting(_ client: ServiceClient) async throws -> String {
        try await client.post("backup/create").string("job_id")
    }

    @Test func aStreamEndsWithItsTokenAndSaysSo() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve(.socket, doesJobs: false) { client in
            let job = try await Self.waiting(client)
            let grant = TokenGrant(subject: "short", role: .superAdmin, lifetimeSeconds: 2)
            let token = try await fixture.issuer.issue(grant, now: fixture.clock.date)
            let connection = try await RawConnection(port: client.port)
            try await connection.send(
                client.rawRequest(
                    "GET", "jobs/\(job)/events", as: nil,
                    headers: ["Authorization: Bearer \(token)"]))
            let reading = await connection.read(seconds: 60) { $0.hasSuffix("0\r\n\r\n") }
            #expect(reading.statuses == [200])
            #expect(reading.text.contains("event: closed"))
            #expect(reading.text.contains("token_expired"))
            // Others accept it for a minute more, as clocks differ; a stream would end at once.
            var extras = ServiceClient.Extras()
            extras.token = token
            let again = try await client.send(.get, "jobs/\(job)/events", extras)
            #expect(again.status == 401)
            #expect(try again.string("code") == "token_expired")
        }
    }

    /// 204 is what ends an EventSource.
    @Test(arguments: Way.allCases)
    func thereIsNothingToFollowAfterTheEnd(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let job = try await Self.waiting(client)
            _ = try await client.post("jobs/\(job)/cancel")
            let all = ServerEvent.all(try await client.get("jobs/\(job)/events").text)
            let last = try #require(all.last)
            for id in [last.id, last.id + 1000] {
                let answer = try await client.get(
                    "jobs/\(job)/events", headers: ["Last-Event-ID": "\(id)"])
                #expect(answer.status == 204)
                #expect(answer.text.isEmpty)
            }
            let rest = try await client.get(
                "jobs/\(job)/events", headers: ["Last-Event-ID": "\(last.id - 1)"])
            #expect(ServerEvent.all(rest.text) == [last])
        }
    }

    @Test func streamsAreLimitedInNumberAndFreeAgainAfterwards() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.eventStreamCountMax = 3
        fixture.options.subjectEventStreamCountMax = 2
        try await fixture.serve(.socket, doesJobs: false) { client in
            let job = try await Self.waiting(client)
            func open(_ role: Role) async throws -> RawConnection {
                let connection = try await RawConnection(port: client.port)
                try await connection.send(client.rawRequest("GET", "jobs/\(job)/events", as: role))
                _ = await connection.read { $0.contains("PENDING") }
                return connection
            }
            let own = [try await open(.superAdmin), try await open(.superAdmin)]
            let tooMany = try await client.get("jobs/\(job)/events")
            #expect(tooMany.status == 429)
            #expect(try tooMany.string("code") == "too_many_streams")
            #expect(tooMany.header("Retry-After") != nil)
            let other = try await open(.admin)
            let full = try await client.get("jobs/\(job)/events", as: .viewer)
            #expect(full.status == 503)
            #expect(try full.string("code") == "too_many_streams")
            #expect(full.header("Retry-After") != nil)
            #expect(try await client.get("/metrics").text.contains("kind=\"events\"} 3"))
            // Asking for the head holds nothing.
            for connection in own + [other] { connection.close() }
            _ = try await client.post("jobs/\(job)/cancel")
            let slots = client.service.environment.streams.events
            while slots.count > 0 { await Task.yield() }
            #expect(try await client.get("jobs/\(job)/events").status == 200)
        }
    }

    @Test func aHeadRequestHoldsNoPlace() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.subjectEventStreamCountMax = 1
        try await fixture.serve(doesJobs: false) { client in
            let job = try await Self.waiting(client)
            for _ in 0..<3 {
                #expect(try await client.send(.head, "jobs/\(job)/events").status == 200)
            }
        }
    }

    /// What is handed on is what was written down, also when a follower is slow.
    @Test func whoMissesUpdatesReadsThemFromTheRecords() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve(.socket, doesJobs: false) { client in
            let job = try await Self.waiting(client)
            let connection = try await RawConnection(port: client.port)
            try await connection.send(client.rawRequest("GET", "jobs/\(job)/events"))
            _ = await connection.read { $0.contains("PENDING") }
            // Events of which nobody is told, as those that did not fit.
            let state = client.service.environment.state
            let drafts = (0..<200).map {
                JobEventDraft(type: "notice", data: #"{"message":"n\#($0)"}"#)
            }
            _ = try await state.appendEvents(jobID: job, drafts, at: 1)
            _ = try await client.post("jobs/\(job)/cancel")
            let rest = await connection.read { $0.hasSuffix("0\r\n\r\n") }
            for number in 0..<200 { #expect(rest.text.contains(#""n\#(number)""#), "\(number)") }
            #expect(rest.text.contains("CANCELED"))
        }
    }

    @Test func aClientThatTakesNothingIsCutOff() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.writeSecondsMax = 1
        try await fixture.serve(.socket, doesJobs: false) { client in
            let count = 400
            let page = try await client.get("/docs", as: nil)
            // More than any system takes for a client that does not read.
            #expect(page.text.utf8.count * count > 8 * 1024 * 1024)
            let connection = try await RawConnection(port: client.port)
            let request = client.rawRequest("GET", "/docs", as: nil)
            try await connection.send(String(repeating: request, count: count))
            var isCut = false
            for _ in 0..<600 where !isCut {
                let text = try await client.get("/metrics").text
                isCut = text.contains("cairn_http_stalled_answers_total 1")
                if !isCut { try await Task.sleep(for: .milliseconds(100)) }
            }
            #expect(isCut)
            let reading = await connection.readToEnd()
            #expect(reading.isClosed)
            #expect(reading.statuses.count < count)
        }
    }
}
