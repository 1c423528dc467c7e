import CMongoC
import Glibc

/// Where a server listens.
struct ServerPlace: Hashable, Sendable, CustomStringConvertible {
    /// The name or address; the path of a local socket.
    let host: String
    /// The TCP port; meaningless for a local socket.
    let port: UInt16
    /// Whether it is a socket of this machine's file system.
    let isLocalSocket: Bool
    /// `host:port`, as libmongoc and servers write it.
    let description: String

    /// What libmongoc says of a server.
    init(_ entry: mongoc_host_list_t) {
        host = cString(in: entry.host)
        port = entry.port
        isLocalSocket = entry.family == AF_UNIX
        description = cString(in: entry.host_and_port)
    }

    /// What a member of a replica set says of another; nil for anything but `host:port`.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        let name = text[..<colon]
        host = String(
            name.hasPrefix("[") && name.hasSuffix("]") ? name.dropFirst().dropLast() : name)
        guard !host.isEmpty else { return nil }
        self.port = port
        isLocalSocket = false
        description = text
    }
}
