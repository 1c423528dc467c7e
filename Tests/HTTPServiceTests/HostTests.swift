internal import Testing

@testable internal import HTTPService

/// Which host a request means.
@Suite struct HostTests {
    @Test func aRequestSaysOnceWhichHostItMeans() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let bad = [
                "GET /healthz HTTP/1.1\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a:80:90\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: user@a\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n",
                "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            ]
            for request in bad {
                let reading = try await client.raw(request)
                #expect(reading.statuses == [400], "\(request)")
                #expect(reading.isClosed)
                #expect(reading.text.contains("invalid_host"), "\(reading.text)")
                #expect(reading.text.lowercased().contains("x-request-id"))
            }
            let good = [
                "GET /healthz HTTP/1.0\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: localhost:8001\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: [::1]:8001\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nhost: b%C3%BCcher.example\r\n\r\n",
            ]
            for request in good {
                let reading = try await client.raw(request, answers: 1)
                #expect(reading.statuses == [200], "\(request)")
            }
        }
    }

    /// In its turn, and nothing behind it is answered.
    @Test func aRequestBehindAnotherIsRefusedAfterIt() async throws {
        try await ServiceFixture.withoutServer().serve(.socket, doesJobs: false) { client in
            let good = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
            let reading = try await client.raw(
                good + good + "GET /healthz HTTP/1.1\r\n\r\n" + good)
            #expect(reading.statuses == [200, 200, 400])
            #expect(reading.isClosed)
        }
    }
}
