internal import AccessControl
internal import Foundation
internal import HTTPTypes
internal import PrivateServer
internal import Testing

@testable internal import HTTPService

/// The service as its command runs it, and as clients reach it.
@Suite struct ServiceRunTests {
    @Test func itRunsOnAnyFreePortUntilItIsEnded() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.host = "localhost"
        let service = try await CairnService(
            fixture.options, environment: fixture.clock.environment, logger: fixture.log.logger)
        let (ports, input) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { input.finish() }
                try await service.run { input.yield($0) }
            }
            for await port in ports {
                let connection = try await RawConnection(port: port)
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let reading = await connection.read { $0.contains("ok") }
                #expect(reading.statuses == [200])
                break
            }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result { #expect(error is CancellationError) }
            }
        }
        // The state is free again.
        try await fixture.serve { client in
            _ = try await client.get("backup/list")
        }
    }

    /// The lines of the interface's description, as curl sends them. They are about all of a
    /// server, which therefore is this test's own: others change the shared one meanwhile.
    @Test(.needsServer) func theLinesThatPeopleUseWorkAsTheyStand() async throws {
        let server = try await PrivateServer()
        let fixture = try await ServiceFixture(uri: ServiceFixture.uri(of: server))
        try await fixture.fill()
        try await fixture.serve(.socket) { client in
            let curl = ["User-Agent: curl/8.5.0", "Accept: */*"]
            let json = curl + ["Content-Type: application/json"]
            let create = try await client.raw(
                client.rawRequest(
                    "POST", "/api/phase14/backup/create", headers: json + ["Content-Length: 25"],
                    body: #"{"backup_type": "manual"}"#), answers: 1)
            #expect(create.statuses == [202])
            let jobs = try await client.get("jobs?kind=backup")
            let job = try await client.ended(try jobs.string("jobs", "0", "job_id"))
            let list = try await client.raw(
                client.rawRequest("GET", "/api/phase14/backup/list", headers: curl), answers: 1)
            #expect(list.statuses == [200])
            let id = try job.string("backup_id")
            let restore = try await client.raw(
                client.rawRequest(
                    "POST", "/api/phase14/backup/\(id)/restore",
                    headers: json + ["Content-Length: 19"], body: #"{"mode": "preview"}"#),
                answers: 1)
            #expect(restore.statuses == [200], "\(restore)")
        }
        try await server.stop()
    }

    @Test func twentyConnectionsWithOneKeyMakeOneJob() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let request = client.rawRequest(
                "POST", "backup/create", headers: ["Idempotency-Key: one", "Content-Length: 0"])
            try await withThrowingTaskGroup(of: RawConnection.Reading.self) { group in
                for _ in 0..<20 { group.addTask { try await client.raw(request, answers: 1) } }
                for try await reading in group {
                    let isKnown = reading.statuses == [202] || reading.statuses == [409]
                    #expect(isKnown, "\(reading)")
                }
            }
            #expect(try await client.get("jobs").number("total") == 1)
        }
    }
}
