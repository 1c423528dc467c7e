internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import Testing

/// What carries requests to a service.
protocol Transport: Sendable {
    /// Where the service listens; nil for one that is called.
    var port: Int? { get }

    func answer(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields, _ body: String?
    ) async throws -> Answer
}

/// How requests reach the service: both answer alike, so tests are done both ways.
enum Way: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case inProcess
    case socket

    var testDescription: String { rawValue }

    /// Runs an application while the body talks to it.
    func reach(
        _ application: some ApplicationProtocol,
        _ body: @Sendable (any Transport) async throws -> Void
    ) async throws {
        switch self {
        case .inProcess:
            try await application.test(.router) { try await body(RouterTransport(client: $0)) }
        case .socket:
            try await SocketTransport.connected(to: application, body)
        }
    }
}

/// Calls the service's router.
struct RouterTransport: Transport {
    let client: any TestClientProtocol
    var port: Int? { nil }

    func answer(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields, _ body: String?
    ) async throws -> Answer {
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers,
            body: body.map { ByteBuffer(string: $0) })
        return Answer(
            status: response.status.code, headers: response.headers,
            text: String(buffer: response.body))
    }
}
