internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTesting
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A connection to a service that runs in this process. The framework's own way gives up on an
/// answer after 20 seconds, which a job on a busy machine may take.
struct SocketTransport: Transport {
    /// How long a test waits for an answer; longer than any wait that tests ask the service for.
    private static let answerSecondsMax = 300

    private let client: TestClient
    private let listeningPort: Int
    var port: Int? { listeningPort }

    /// Runs an application while the body talks to it.
    static func connected(
        to application: some ApplicationProtocol,
        _ body: @Sendable (any Transport) async throws -> Void
    ) async throws {
        let (ports, input) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ListeningApplication(base: application) { input.yield($0) }],
                logger: application.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { input.finish() }
                try await group.run()
            }
            // None comes when it could not listen; then its error does.
            for await port in ports {
                do {
                    try await talk(port, body)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                break
            }
            try await tasks.waitForAll()
        }
    }

    private static func talk(
        _ port: Int, _ body: @Sendable (any Transport) async throws -> Void
    ) async throws {
        let client = TestClient(
            host: "localhost", port: port,
            configuration: TestClient.Configuration(timeout: .seconds(answerSecondsMax)))
        client.connect()
        do {
            try await body(SocketTransport(client: client, listeningPort: port))
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    func answer(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields, _ body: String?
    ) async throws -> Answer {
        var headers = headers
        headers[.connection] = "keep-alive"
        let response = try await client.execute(
            TestClient.Request(
                uri, method: method, authority: "localhost", headers: headers,
                body: body.map { ByteBuffer(string: $0) }))
        return Answer(
            status: response.status.code, headers: response.headers,
            text: String(buffer: response.body ?? ByteBuffer()))
    }
}

/// An application on any free port, that tells which.
private struct ListeningApplication<Base: ApplicationProtocol>: ApplicationProtocol {
    let base: Base
    let onPort: @Sendable (Int) -> Void

    var responder: Base.Responder { get async throws { try await base.responder } }
    var server: HTTPServerBuilder { base.server }
    var eventLoopGroup: any EventLoopGroup { base.eventLoopGroup }
    var configuration: ApplicationConfiguration {
        base.configuration.with(address: .hostname("localhost", port: 0))
    }
    var logger: Logger { base.logger }
    var services: [any Service] { base.services }
    var processesRunBeforeServerStart: [@Sendable () async throws -> Void] {
        base.processesRunBeforeServerStart
    }

    @Sendable func onServerRunning(_ channel: any Channel) async {
        await base.onServerRunning(channel)
        onPort(channel.localAddress?.port ?? 0)
    }
}
