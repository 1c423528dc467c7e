internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// A JWKS as it came over HTTP.
struct KeySetDocument: Sendable {
    let bytes: [UInt8]
    /// `max-age` of the response, 0 when it must not be kept, nil when it does not say.
    let maxAgeSeconds: Double?
}

/// Fetches a JWKS by URL.
enum KeySetDownload {
    /// One request: status 200, no redirects, at most 1 MiB, within a time for all of it.
    ///
    /// It uses the client's futures instead of its async functions for two reasons. Their deadline
    /// covers the body, too. And waiting for a future goes on when the task is cancelled: a caller
    /// who hangs up must not end a fetch that others wait for, and that may not be repeated soon.
    ///
    /// - Throws: ``AccessError`` with the reason `keysUnavailable`.
    static func fetch(_ url: String, timeoutSeconds: Double) async throws -> KeySetDocument {
        let timeout = TimeAmount.milliseconds(Int64(timeoutSeconds * 1000))
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: timeout, read: timeout))
        configuration.httpVersion = .http1Only
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<KeySetDocument, any Error>
        do {
            result = .success(try await request(url, client, deadline: .now() + timeout))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.mapError(unavailable).get()
    }

    private static func request(
        _ url: String, _ client: HTTPClient, deadline: NIODeadline
    ) async throws -> KeySetDocument {
        let request = try HTTPClient.Request(
            url: url, headers: ["Accept": "application/jwk-set+json, application/json"])
        let accumulator = ResponseAccumulator(
            request: request, maxBodySize: KeySet.byteCountMax)
        let response = try await client.execute(
            request: request, delegate: accumulator, deadline: deadline
        ).futureResult.get()
        guard response.status == .ok else {
            throw AccessError(
                .keysUnavailable, detail: "the JWKS's URL: status \(response.status.code)")
        }
        return KeySetDocument(
            bytes: response.body.map { Array($0.readableBytesView) } ?? [],
            maxAgeSeconds: maxAgeSeconds(response.headers[canonicalForm: "cache-control"]))
    }

    /// What `Cache-Control` allows: the smallest `max-age`, and nothing with `no-store` or
    /// `no-cache`.
    static func maxAgeSeconds(_ values: [Substring]) -> Double? {
        var smallest: Double?
        for value in values {
            let words = value.lowercased().split(separator: "=", maxSplits: 1)
            let name = words.first?.trimmed ?? ""
            if name == "no-store" || name == "no-cache" { return 0 }
            guard name == "max-age", words.count == 2, let seconds = UInt32(words[1].trimmed) else {
                continue
            }
            smallest = min(smallest ?? .infinity, Double(seconds))
        }
        return smallest
    }

    private static func unavailable(_ error: any Error) -> any Error {
        if error is AccessError { return error }
        let detail =
            error is ResponseAccumulator.ResponseTooBigError ? "larger than 1 MiB" : "\(error)"
        return AccessError(.keysUnavailable, detail: "the JWKS's URL: \(detail)")
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
