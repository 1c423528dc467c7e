internal import ArgumentParser
internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Which running service a command is about, and as whom.
struct ServiceOptionsGroup: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the service is; else CAIRN_SERVICE, else http://127.0.0.1:8001.",
            valueName: "url"))
    var service: String?

    @OptionGroup var key: KeyOptions

    /// A client for it.
    ///
    /// - Throws: `ServerFailure` with usage when there is neither a token nor a secret.
    func client() async throws -> ServiceClient {
        let place = service ?? ServerEnvironment["CAIRN_SERVICE"] ?? "http://127.0.0.1:8001"
        return ServiceClient(
            base: place.hasSuffix("/") ? String(place.dropLast()) : place, token: try await token())
    }

    /// `CAIRN_TOKEN`, or one for a minute that is made with the secret.
    private func token() async throws -> String {
        if let token = ServerEnvironment["CAIRN_TOKEN"] { return token }
        guard try key.secretText() != nil else {
            throw ServerFailure.usage(
                "set CAIRN_TOKEN to a token, or give --secret-file so that one can be made")
        }
        let user = ServerEnvironment["USER"] ?? ServerEnvironment["LOGNAME"] ?? "unknown"
        return try await TokenMaking(key: key).token(
            subject: "command-line:\(user)", role: "super_admin", seconds: 60)
    }
}

/// Asks a running service.
struct ServiceClient {
    private static let answerByteCountMax = 16 * 1024 * 1024
    private static let secondsMax: Int64 = 30

    let base: String
    let token: String

    /// Why the service did not do what it was asked.
    private struct ProblemBody: Decodable {
        struct Field: Decodable {
            var field: String
            var message: String
        }

        var code: String
        var detail: String
        var errors: [Field]?
    }

    /// The answer to a request, as JSON text; nil when there is nothing by that path.
    ///
    /// - Throws: `ServerFailure` when the service can't be reached or refuses.
    func ask(_ method: String, _ path: String, body: String? = nil) async throws -> String? {
        var request = HTTPClientRequest(url: base + "/api/phase14" + path)
        request.method = .init(rawValue: method)
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response: HTTPClientResponse
        let text: String
        do {
            response = try await HTTPClient.shared.execute(
                request, timeout: .seconds(Self.secondsMax))
            text = String(buffer: try await response.body.collect(upTo: Self.answerByteCountMax))
        } catch {
            throw ServerFailure(
                status: 1,
                message: "the service at \(base) can't be reached (\(error)); is it running, and "
                    + "is --service right?")
        }
        if response.status.code == 404 { return nil }
        guard response.status.code < 300 else { throw Self.failure(response.status.code, text) }
        return text
    }

    private static func failure(_ status: UInt, _ text: String) -> ServerFailure {
        do {
            let problem = try JSONDecoder().decode(ProblemBody.self, from: Data(text.utf8))
            let fields = (problem.errors ?? []).map { "\($0.field) \($0.message)" }
            return ServerFailure(
                status: status == 422 ? 64 : 1,
                message: ([problem.detail] + fields).joined(separator: "; "))
        } catch {
            return ServerFailure(
                status: 1, message: "the service answered with the HTTP status \(status)")
        }
    }
}
