internal import NIOCore
internal import NIOHTTP1

/// Refuses requests that do not say once which host they mean (RFC 9112, 3.2): an HTTP/1.1 request
/// without `Host`, with two of them, or with one that can't be a host. A proxy in front may take
/// another of two for the one that counts.
///
/// It stands where the version of a request is still known. Used on the channel's event loop only.
final class HostCheck: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Whether a request was refused.
    private(set) var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        if case .head(let head) = unwrapInboundIn(data), !Self.isAcceptable(head) {
            isRefused = true
            // As what is no HTTP: it is answered once what came before it is, and nothing behind it
            // is read.
            context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
        } else {
            context.fireChannelRead(data)
        }
    }

    private static func isAcceptable(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"]
        return hosts.isEmpty
            ? head.version == .http1_0 : hosts.count == 1 && hosts.allSatisfy(isHost)
    }

    /// Whether a text is a host with or without a port: a name, an address, or an address in
    /// brackets (RFC 3986, 3.2.2). An empty one is allowed.
    static func isHost(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy(isOfAddress) else { return false }
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { return false }
        } else {
            let name = rest.prefix { $0 != UInt8(ascii: ":") }
            guard name.allSatisfy(isOfName) else { return false }
            rest = rest[name.endIndex...]
        }
        let port = rest.dropFirst()
        return port.count <= 5 && port.allSatisfy { (48...57).contains($0) }
    }

    private static func isOfAddress(_ byte: UInt8) -> Bool {
        Character(Unicode.Scalar(byte)).isHexDigit || [58, 46].contains(byte)
    }

    /// Letters, digits, what is unreserved, delimiters and percent signs.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "-._~!$&'()*+,;=%".utf8.contains(byte)
        }
    }
}
