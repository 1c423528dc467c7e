internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection whose request was answered before all of it had come, or whose answer says
/// so. Otherwise who was refused could keep the connection by sending a body for ever, and a fault
/// in that body would be answered as if it were another request.
///
/// Used on the channel's event loop only.
final class UnreadRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What a client has to take the answer before the connection is torn down: closed at once,
    /// with bytes of it unread, the answer would be lost on the way.
    private static let lingering = TimeAmount.seconds(2)

    private var completeRequestCount = 0
    private var answeredCount = 0
    private var willClose = false
    private var isClosing = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): encourage(head, context)
        case .body: break
        case .end: completeRequestCount += 1
        }
        context.fireChannelRead(data)
    }

    /// Lets a client send its body that asks first whether it may (RFC 9110, 10.1.1). It may: what
    /// is wrong with the request is answered either way. While another request is being answered
    /// it would stand in the middle of that answer; then the client sends when it is tired of
    /// waiting.
    private func encourage(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        guard completeRequestCount == answeredCount,
            head.headerFields[.expect]?.lowercased() == "100-continue"
        else { return }
        context.writeAndFlush(
            wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What cannot be read of a request that was answered is nobody's concern.
        if !isClosing { context.fireErrorCaught(error) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            willClose =
                completeRequestCount <= answeredCount || head.headerFields[.connection] == "close"
            if willClose { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where willClose:
            isClosing = true
            context.writeAndFlush(data, promise: promise)
            close(context)
        case .end:
            answeredCount += 1
            context.write(data, promise: promise)
        default: context.write(data, promise: promise)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.lingering) {
            bound.value.close(promise: nil)
        }
    }
}
