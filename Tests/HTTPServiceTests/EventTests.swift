internal import ExtendedJSON
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// A job's events as they come.
@Suite struct EventTests {
    @Test(.needsServer, arguments: Way.allCases)
    func theStreamTellsAllOfAJobAndEndsWithIt(_ way: Way) async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve(way) { client in
            let started = try await client.post("backup/create", fixture.backupBody)
            let job = try started.string("job_id")
            let stream = try await client.get("jobs/\(job)/events")
            #expect(stream.status == 200)
            #expect(stream.header("Content-Type") == "text/event-stream")
            #expect(stream.text.hasPrefix("retry: 2000\n\n"))
            let events = ServerEvent.all(stream.text)
            #expect(events.map(\.id) == events.map(\.id).sorted())
            #expect(events.first?.data.contains("PENDING") == true)
            #expect(events.last?.type == "status")
            #expect(events.last?.data.contains("SUCCEEDED") == true)
        }
    }

    @Test(arguments: Way.allCases)
    func whoWasCutOffGoesOnBehindTheLastEvent(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let job = try await client.post("backup/create").string("job_id")
            _ = try await client.post("jobs/\(job)/cancel")
            let all = ServerEvent.all(try await client.get("jobs/\(job)/events").text)
            #expect(all.count == 2)
            let first = try #require(all.first), last = try #require(all.last)
            let rest = try await client.get(
                "jobs/\(job)/events", headers: ["Last-Event-ID": "\(first.id)"])
            #expect(ServerEvent.all(rest.text) == [last])
            let none = try await client.get(
                "jobs/\(job)/events", headers: ["Last-Event-ID": "\(last.id)"])
            #expect(ServerEvent.all(none.text) == [])
            let bad = try await client.get(
                "jobs/\(job)/events", headers: ["Last-Event-ID": "-1"])
            #expect(bad.status == 422)
            #expect(try bad.faults == ["header Last-Event-ID"])
        }
    }

    @Test func eventsComeWhileTheJobGoesOn() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let job = try await client.post("backup/create").string("job_id")
            let connection = try await RawConnection(port: client.port)
            try await connection.send(client.rawRequest("GET", "jobs/\(job)/events"))
            let begun = await connection.read { $0.contains("PENDING") }
            #expect(begun.text.contains("PENDING") && !begun.text.contains("CANCELED"))
            _ = try await client.post("jobs/\(job)/cancel")
            let rest = await connection.read { $0.hasSuffix("0\r\n\r\n") }
            #expect(rest.text.contains("CANCELED"))
        }
    }

    @Test func aClientThatGoesAwayIsForgotten() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let job = try await client.post("backup/create").string("job_id")
            for _ in 0..<20 {
                let connection = try await RawConnection(port: client.port)
                try await connection.send(client.rawRequest("GET", "jobs/\(job)/events"))
                _ = await connection.read { $0.contains("PENDING") }
                connection.close()
            }
            let answer = try await client.post("jobs/\(job)/cancel")
            #expect(answer.status == 200)
        }
    }
}

/// An event as a client reads it.
struct ServerEvent: Equatable {
    var id: Int
    var type: String
    var data: String

    static func all(_ text: String) -> [ServerEvent] {
        text.components(separatedBy: "\n\n").compactMap { block in
            var fields: [String: String] = [:]
            for line in block.split(separator: "\n") {
                let pair = line.split(separator: ":", maxSplits: 1).map(String.init)
                if pair.count == 2 { fields[pair[0]] = pair[1].trimmingPrefix(" ").description }
            }
            guard let id = fields["id"].flatMap({ Int($0) }), let type = fields["event"],
                let data = fields["data"]
            else { return nil }
            return ServerEvent(id: id, type: type, data: data)
        }
    }
}
