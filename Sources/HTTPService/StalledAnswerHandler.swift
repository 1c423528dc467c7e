internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection whose client takes nothing of its answer for a while: what the answer is
/// made of, such as a backup that is downloaded, would be held for ever.
///
/// The operating system takes some megabytes for the client first. Larger pieces of a body are
/// divided, so that a slow client is seen to take some.
///
/// Used on the channel's event loop only.
final class StalledAnswerHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What a client has to take within the time.
    static let pieceByteCount = 64 * 1024

    private let limit: TimeAmount
    private let stalled: @Sendable (String) -> Void
    /// Writes that the operating system has not taken.
    private var waitingCount = 0
    private var lastProgress = NIODeadline.now()
    private var isWatching = false

    /// - Parameters:
    ///   - seconds: how long a client may take nothing.
    ///   - stalled: is told the address of a client whose connection is closed.
    init(seconds: Int, stalled: @escaping @Sendable (String) -> Void) {
        limit = .seconds(Int64(seconds))
        self.stalled = stalled
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .body(var bytes) = unwrapOutboundIn(data),
            bytes.readableBytes > Self.pieceByteCount
        else { return pass(data, promise, context) }
        while let piece = bytes.readSlice(length: min(Self.pieceByteCount, bytes.readableBytes)) {
            let isLast = bytes.readableBytes == 0
            pass(wrapOutboundOut(.body(piece)), isLast ? promise : nil, context)
            if isLast { return }
        }
    }

    private func pass(
        _ data: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
    ) {
        if waitingCount == 0 { lastProgress = .now() }
        waitingCount += 1
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.waitingCount -= 1
            self.lastProgress = .now()
        }
        context.write(data, promise: promise)
        if !isWatching { watch(context, for: limit) }
    }

    /// One timer at a time, which looks again when there was progress meanwhile.
    private func watch(_ context: ChannelHandlerContext, for time: TimeAmount) {
        isWatching = true
        context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.isWatching = false
            guard self.waitingCount > 0, context.channel.isActive else { return }
            let left = self.limit - (.now() - self.lastProgress)
            guard left <= .nanoseconds(0) else { return self.watch(context, for: left) }
            self.stalled(context.remoteAddress?.ipAddress ?? "")
            context.close(promise: nil)
        }
    }
}
