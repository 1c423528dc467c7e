import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 that answers every request with the same bytes, however wrong they are.
struct RawHTTPServer {
    /// What it does with a connection.
    enum Behaviour: Sendable {
        /// Sends this and closes.
        case send(String)
        /// Sends the head of a response and then a byte now and then, for ever.
        case trickle
        /// Takes the request and says nothing.
        case silent
    }

    let port: Int
    private let requests: RequestLog

    /// The heads of requests so far.
    var requestTexts: [String] { requests.texts.withLock { $0 } }

    /// Runs a server for as long as the body runs.
    static func with<Result>(
        _ behaviour: Behaviour, _ body: (RawHTTPServer) async throws -> Result
    ) async throws -> Result {
        let requests = RequestLog()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AnswerHandler(behaviour: behaviour, requests: requests))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = RawHTTPServer(port: channel.localAddress?.port ?? 0, requests: requests)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }
}

private final class RequestLog: Sendable {
    let texts = Mutex<[String]>([])
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let behaviour: RawHTTPServer.Behaviour
    private let requests: RequestLog
    private var trickle: RepeatedTask?

    init(behaviour: RawHTTPServer.Behaviour, requests: RequestLog) {
        self.behaviour = behaviour
        self.requests = requests
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: unwrapInboundIn(data))
        requests.texts.withLock { $0.append(text) }
        let channel = context.channel
        switch behaviour {
        case .send(let response):
            channel.writeAndFlush(ByteBuffer(string: response)).whenComplete { _ in
                channel.close(promise: nil)
            }
        case .trickle:
            channel.writeAndFlush(
                ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
                promise: nil)
            trickle = context.eventLoop.scheduleRepeatedTask(
                initialDelay: .milliseconds(50), delay: .milliseconds(50)
            ) { _ in channel.writeAndFlush(ByteBuffer(string: " "), promise: nil) }
        case .silent: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        trickle?.cancel()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
