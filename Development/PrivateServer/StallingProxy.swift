import Glibc
import Synchronization

/// A proxy on a free loopback port that can stop forwarding without a word: connections to it stay
/// open and new ones are made, as in a network that drops packets, and behind a machine that hangs.
public final class StallingProxy: Sendable {
    /// How often the threads look up.
    private static let pollMilliseconds: CInt = 20
    private static let bufferByteCount = 64 * 1024

    /// Where it listens.
    public let port: UInt16
    private let target: UInt16
    private let listener: CInt
    private let isStalled = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)
    private let connections = Atomic<Int>(0)

    /// - Parameter target: the loopback port that it forwards to.
    /// - Throws: `PrivateServerError` with `system`.
    public init(to target: UInt16) throws {
        self.target = target
        (listener, port) = try listeningSocket()
        let listener = listener
        startThread { [self] in
            while let client = accept(listener) { serve(client) }
            Glibc.close(listener)
        }
    }

    /// How many connections were made to it so far.
    public var connectionCount: Int { connections.load(ordering: .relaxed) }

    /// Stops forwarding, in both directions.
    public func stall() {
        isStalled.store(true, ordering: .relaxed)
    }

    /// Forwards again, what had come meanwhile first.
    public func resume() {
        isStalled.store(false, ordering: .relaxed)
    }

    /// Ends all threads and connections soon.
    public func close() {
        isClosed.store(true, ordering: .relaxed)
    }

    private func accept(_ listener: CInt) -> CInt? {
        while !isClosed.load(ordering: .relaxed) {
            guard isReady(listener) else { continue }
            let client = Glibc.accept(listener, nil, nil)
            if client >= 0 { return client }
        }
        return nil
    }

    private func serve(_ client: CInt) {
        connections.add(1, ordering: .relaxed)
        startThread { [self] in
            defer { Glibc.close(client) }
            while isStalled.load(ordering: .relaxed) {
                if isClosed.load(ordering: .relaxed) { return }
                usleep(UInt32(Self.pollMilliseconds) * 1000)
            }
            guard let server = connectedSocket(to: target) else { return }
            defer { Glibc.close(server) }
            forward(client, server)
        }
    }

    private func forward(_ first: CInt, _ second: CInt) {
        var buffer = [UInt8](repeating: 0, count: Self.bufferByteCount)
        while !isClosed.load(ordering: .relaxed) {
            if isStalled.load(ordering: .relaxed) {
                usleep(UInt32(Self.pollMilliseconds) * 1000)
                continue
            }
            var entries = [first, second].map { descriptor in
                pollfd(fd: descriptor, events: CShort(POLLIN), revents: 0)
            }
            guard poll(&entries, 2, Self.pollMilliseconds) > 0 else { continue }
            for (index, entry) in entries.enumerated() where entry.revents != 0 {
                let count = read(entry.fd, &buffer, buffer.count)
                guard count > 0, sendAll(buffer[..<count], to: index == 0 ? second : first) else {
                    return
                }
            }
        }
    }

    private func isReady(_ descriptor: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: CShort(POLLIN), revents: 0)
        return poll(&entry, 1, Self.pollMilliseconds) > 0
    }
}

/// A listener that answers whatever is sent to it in its own way: what is not a MongoDB server.
public final class ForeignListener: Sendable {
    /// Where it listens.
    public let port: UInt16
    private let isClosed = Atomic<Bool>(false)

    /// - Parameter answer: sent when something has come, after which the connection is closed; nil
    ///   takes everything and never answers.
    /// - Throws: `PrivateServerError` with `system`.
    public init(answer: String?) throws {
        let (listener, port) = try listeningSocket()
        self.port = port
        startThread { [self] in
            var silent: [CInt] = []
            defer { for descriptor in silent + [listener] { Glibc.close(descriptor) } }
            while !isClosed.load(ordering: .relaxed) {
                var entry = pollfd(fd: listener, events: CShort(POLLIN), revents: 0)
                guard poll(&entry, 1, 20) > 0 else { continue }
                let client = Glibc.accept(listener, nil, nil)
                guard client >= 0 else { continue }
                guard let answer else {
                    silent.append(client)
                    continue
                }
                var buffer = [UInt8](repeating: 0, count: 4096)
                _ = read(client, &buffer, buffer.count)
                _ = sendAll(Array(answer.utf8)[...], to: client)
                Glibc.close(client)
            }
        }
    }

    /// Ends its thread and connections soon.
    public func close() {
        isClosed.store(true, ordering: .relaxed)
    }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    pthread_create(
        &thread, nil,
        { context in
            if let context {
                Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body()
            }
            return nil
        }, context)
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

private func loopbackAddress(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    return address
}

private func listeningSocket() throws -> (CInt, UInt16) {
    let port = try freeLoopbackPort()
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var reuse: CInt = 1
    setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
    var address = loopbackAddress(port)
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0, listen(descriptor, 64) == 0 else {
        throw PrivateServerError(.system, "no listener on port \(port) (errno \(errno))")
    }
    return (descriptor, port)
}

private func connectedSocket(to port: UInt16) -> CInt? {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = loopbackAddress(port)
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else {
        close(descriptor)
        return nil
    }
    return descriptor
}

private func sendAll(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes {
            send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
        }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
