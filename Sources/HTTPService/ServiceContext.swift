internal import Hummingbird
internal import NIOCore

/// What is known of a request while it is answered.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The address that the request came from; nil in process.
    let remoteAddress: SocketAddress?
    /// Names the request in answers and logs.
    var requestID = ""

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }
    /// The address of the client, as text: the connection's, or what a trusted proxy says.
    var address = "local"
}
