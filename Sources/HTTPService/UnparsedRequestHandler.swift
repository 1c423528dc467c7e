internal import HTTPTypes
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Gives the answer to what is no HTTP the body and the name that every other answer has: no
/// request has come of it, so that nothing else in the service has seen it.
///
/// Used on the channel's event loop only.
final class UnparsedRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let logger: Logger
    private let metrics: ServiceMetrics
    private let makeRequestID: @Sendable () -> String
    private let hostCheck = HostCheck()
    private var error: (any Error)?

    init(
        logger: Logger, metrics: ServiceMetrics, makeRequestID: @escaping @Sendable () -> String
    ) {
        self.logger = logger
        self.metrics = metrics
        self.makeRequestID = makeRequestID
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(hostCheck, position: .before(codec))
        } catch {
            // Of a connection that its client has closed already; none goes on unchecked.
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What follows is only that more has come of the same.
        self.error = self.error ?? error
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // The service's own answers all have a name.
        guard case .head(let head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.requestID] == nil
        else { return context.write(data, promise: promise) }
        let requestID = makeRequestID()
        let problem = problem
        metrics.refused(problem.code)
        logger.info(
            "answered",
            metadata: [
                "request_id": "\(requestID)", "route": "none", "status": "\(problem.status.code)",
                "address": "\(context.remoteAddress?.ipAddress ?? "")",
            ])
        let body = ByteBuffer(string: problem.text(requestID))
        let headers: HTTPFields = [
            .connection: "close", .contentType: Problem.contentType,
            .contentLength: "\(body.readableBytes)", .requestID: requestID,
            .xContentTypeOptions: "nosniff", .cacheControl: "no-store",
        ]
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: problem.status, headerFields: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: promise)
    }

    private var problem: Problem {
        switch error as? HTTPParserError {
        case .headerOverflow?:
            Problem(
                .requestHeaderFieldsTooLarge, "headers_too_large",
                "the headers, or one of them, are larger than is allowed")
        case .invalidHeaderToken? where hostCheck.isRefused:
            Problem(
                .badRequest, "invalid_host",
                "an HTTP/1.1 request has exactly one Host header, with a host in it")
        default: Problem(.badRequest, "malformed_request", "this is no HTTP/1.1 request")
        }
    }
}
