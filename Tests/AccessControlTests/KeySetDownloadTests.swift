import Foundation
import Testing

@testable import AccessControl

/// Fetching over a real socket.
@Suite struct KeySetDownloadTests {
    private static func response(_ body: String, status: String = "200 OK", fields: String = "")
        -> String
    {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
    }

    /// Why a fetch from a server like that fails.
    private func failure(
        _ behaviour: RawHTTPServer.Behaviour, timeoutSeconds: Double = 5
    ) async throws -> String? {
        try await RawHTTPServer.with(behaviour) { server in
            do {
                _ = try await KeySetDownload.fetch(
                    "http://127.0.0.1:\(server.port)/jwks", timeoutSeconds: timeoutSeconds)
                return nil
            } catch let error as AccessError {
                #expect(error.reason == .keysUnavailable)
                return error.detail
            }
        }
    }

    @Test func aTokenIsVerifiedByFetchedKeys() async throws {
        let jwks = try TestKeys.jwks(TestKeys.jwk(TestKeys.ecdsa, ["kid": "a"]))
        let fields = "Cache-Control: public, max-age=120\r\n"
        try await RawHTTPServer.with(.send(Self.response(jwks, fields: fields))) { server in
            let source = try KeySetSource("http://127.0.0.1:\(server.port)/keys?x=1")
            let verifier = try await TokenVerifier(
                keys: .keySet(source, algorithms: [.es256]), rules: TokenRules())
            let token = try await TestSigner.ecdsa(TestKeys.ecdsa)
                .token(header: #"{"alg":"ES256","kid":"a"}"#)
            #expect(try await verifier.refusal(token) == nil)
            #expect(try await verifier.refusal(token) == nil)
            let later = TestClaims.now.addingTimeInterval(120)
            #expect(try await verifier.refusal(token, now: later) == nil)
            #expect(server.requestTexts.count == 2)
            #expect(server.requestTexts[0].hasPrefix("GET /keys?x=1 HTTP/1.1\r\n"))
        }
    }

    @Test(arguments: ["500 Server Error", "404 Not Found", "204 No Content", "206 Partial"])
    func otherStatusesFail(_ status: String) async throws {
        let detail = try await failure(.send(Self.response("", status: status)))
        #expect(detail == "the JWKS's URL: status \(status.prefix(3))")
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await RawHTTPServer.with(.send(Self.response("{}"))) { target in
            let fields = "Location: http://127.0.0.1:\(target.port)/\r\n"
            let redirect = Self.response("", status: "302 Found", fields: fields)
            let detail = try await failure(.send(redirect))
            #expect(detail == "the JWKS's URL: status 302")
            #expect(target.requestTexts.isEmpty)
        }
    }

    @Test func aLargeResponseIsNotTaken() async throws {
        let large = String(repeating: " ", count: 1 << 20 + 1)
        let detail = try await failure(.send(Self.response(large)))
        #expect(detail == "the JWKS's URL: larger than 1 MiB")
        let chunk = "200001\r\n" + String(repeating: " ", count: 0x200001) + "\r\n0\r\n\r\n"
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
        #expect(try await failure(.send(chunked)) == "the JWKS's URL: larger than 1 MiB")
    }

    @Test func whatIsNoResponseFails() async throws {
        for text in ["garbage\r\n\r\n", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"] {
            #expect(try await failure(.send(text)) != nil)
        }
        let jwks = try await failure(.send(Self.response("garbage")))
        #expect(jwks == nil, "what it holds is for the key set to judge")
    }

    @Test func nobodyListening() async throws {
        let port = try await RawHTTPServer.with(.silent) { $0.port }
        await #expect(throws: AccessError.self) {
            try await KeySetDownload.fetch("http://127.0.0.1:\(port)/", timeoutSeconds: 5)
        }
    }

    /// The second server would take 50 seconds, never silent for longer than a twentieth of one.
    @Test(.timeLimit(.minutes(1)), arguments: [RawHTTPServer.Behaviour.silent, .trickle])
    func slowServersAreNotWaitedFor(_ behaviour: RawHTTPServer.Behaviour) async throws {
        #expect(try await failure(behaviour, timeoutSeconds: 0.5) != nil)
    }

    /// Hanging up costs an attacker nothing; if it ended the fetch, nobody would get keys any more.
    @Test func aCancelledTaskStillGetsItsKeys() async throws {
        let jwks = try TestKeys.jwks(TestKeys.jwk(TestKeys.ecdsa))
        try await RawHTTPServer.with(.send(Self.response(jwks))) { server in
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.cancelAll()
                group.addTask {
                    #expect(Task.isCancelled)
                    return try await KeySetDownload.fetch(
                        "http://127.0.0.1:\(server.port)/", timeoutSeconds: 5
                    ).bytes.count
                }
                let byteCount = try await group.next()
                #expect(byteCount == jwks.utf8.count)
            }
        }
    }

    @Test func cacheControlIsUnderstood() {
        let cases: [([Substring], Double?)] = [
            ([], nil), (["public"], nil), (["max-age=60"], 60), (["Public", "Max-Age = 60"], 60),
            (["max-age=60", "max-age=30"], 30), (["max-age=60", "no-store"], 0),
            (["no-cache"], 0), (["max-age=-1"], nil), (["max-age=1e9"], nil), (["max-age"], nil),
            (["s-maxage=5"], nil),
        ]
        for (values, expected) in cases {
            #expect(KeySetDownload.maxAgeSeconds(values) == expected, "\(values)")
        }
    }
}
