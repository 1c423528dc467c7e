import CMongoC
import Glibc
import Synchronization

/// A socket that libmongoc reads and writes through. Whoever waits on it looks up twice a second:
/// for the caller having been cancelled, and for the server having been found to be silent, as
/// libmongoc itself would not for minutes.
///
/// One thread at a time uses it.
final class WatchedSocket: Sendable {
    /// How often a wait is looked up from.
    private static let sliceMilliseconds: Int32 = 500
    /// What the system does itself about a peer that is gone: probes after so many seconds of
    /// idleness, and an end when nothing that was sent is acknowledged for so long. A fallback: a
    /// silent server is found out much earlier.
    private static let keepAliveSeconds: (idle: CInt, interval: CInt, count: CInt) = (30, 10, 3)
    private static let unacknowledgedMilliseconds: CUnsignedInt = 60_000

    let host: WatchedHost
    private let link: ConnectionLink
    private let descriptor: CInt
    /// The host's number of condemnations when this was opened: after another one it is of no use.
    private let condemnationCount: Int
    private let lastErrno = Atomic<CInt>(0)

    private init(_ descriptor: CInt, _ host: WatchedHost, _ link: ConnectionLink) {
        self.descriptor = descriptor
        self.host = host
        self.link = link
        condemnationCount = host.condemnationCount
    }

    deinit {
        close(descriptor)
    }

    /// Connects to the first of a server's addresses that takes it.
    ///
    /// - Throws: `DialError` of the last one.
    static func connect(
        to host: WatchedHost, for link: ConnectionLink, until deadline: Deadline
    ) throws(DialError) -> WatchedSocket {
        let addresses = try AddressLookup.addresses(
            of: host.place, until: deadline, isGivenUp: { link.isCancelled })
        var failure = DialError(kind: .unknownName, detail: "it has no address")
        for (index, address) in addresses.enumerated() {
            // None may use up the time of those that follow.
            let share = Int(deadline.remainingMilliseconds) / (addresses.count - index)
            do {
                return try connect(address, host, link, until: Deadline(milliseconds: share))
            } catch {
                failure = error
                if error.kind == .givenUp { break }
            }
        }
        throw failure
    }

    private static func connect(
        _ address: SocketAddress, _ host: WatchedHost, _ link: ConnectionLink,
        until deadline: Deadline
    ) throws(DialError) -> WatchedSocket {
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(address.family, CInt(type), 0)
        guard descriptor >= 0 else { throw systemError(errno) }
        if address.family != AF_UNIX { setOptions(descriptor) }
        let socket = WatchedSocket(descriptor, host, link)
        let status = address.bytes.withUnsafeBytes { bytes -> CInt in
            guard let base = bytes.bindMemory(to: sockaddr.self).baseAddress else { return -1 }
            return Glibc.connect(descriptor, base, socklen_t(bytes.count))
        }
        if status == 0 { return socket }
        guard errno == EINPROGRESS || errno == EAGAIN else { throw systemError(errno) }
        guard socket.wait(for: CShort(POLLOUT), until: deadline) else {
            let isLate = socket.errnoOfLastCall == ETIMEDOUT
            throw isLate
                ? systemError(ETIMEDOUT) : DialError(kind: .givenUp, detail: "it was given up")
        }
        var code: CInt = 0
        var count = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &count) == 0, code == 0 else {
            throw systemError(code)
        }
        return socket
    }

    private static func systemError(_ code: CInt) -> DialError {
        switch code {
        case ECONNREFUSED: DialError(kind: .refused, detail: "the connection was refused")
        case ETIMEDOUT: DialError(kind: .timedOut, detail: "no connection was made in time")
        case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN:
            DialError(kind: .unreachable, detail: String(cString: strerror(code)))
        default: DialError(kind: .system, detail: String(cString: strerror(code)))
        }
    }

    private static func setOptions(_ descriptor: CInt) {
        func set<Value>(_ level: CInt, _ name: CInt, _ value: Value) {
            // What the system does not know, it does without.
            withUnsafeBytes(of: value) { bytes in
                _ = setsockopt(
                    descriptor, level, name, bytes.baseAddress, socklen_t(bytes.count))
            }
        }
        let protocolNumber = CInt(IPPROTO_TCP)
        set(protocolNumber, TCP_NODELAY, CInt(1))
        set(SOL_SOCKET, SO_KEEPALIVE, CInt(1))
        set(protocolNumber, TCP_KEEPIDLE, keepAliveSeconds.idle)
        set(protocolNumber, TCP_KEEPINTVL, keepAliveSeconds.interval)
        set(protocolNumber, TCP_KEEPCNT, keepAliveSeconds.count)
        set(protocolNumber, TCP_USER_TIMEOUT, unacknowledgedMilliseconds)
    }

    // MARK: Bytes

    /// What the last call that failed left in `errno`.
    var errnoOfLastCall: CInt { lastErrno.load(ordering: .relaxed) }

    /// Receives what is there, waiting for the first byte.
    ///
    /// - Parameter deadline: nil waits for as long as the server lives.
    /// - Returns: the number of bytes; 0 at the end of the stream; -1 when it failed, with `errno`.
    func receive(into buffer: UnsafeMutableRawPointer?, _ count: Int, until deadline: Deadline?)
        -> Int
    {
        while true {
            let received = recv(descriptor, buffer, count, 0)
            if received > 0 {
                host.answered()
                return received
            }
            if received == 0 { return fail(0, 0) }
            if errno == EINTR { continue }
            guard errno == EAGAIN || errno == EWOULDBLOCK else { return fail(errno, -1) }
            guard wait(for: CShort(POLLIN), until: deadline) else { return -1 }
        }
    }

    /// Sends what the system takes, waiting until it takes something.
    ///
    /// - Returns: the number of bytes; -1 when it failed, with `errno`.
    func send(_ pieces: UnsafeMutableBufferPointer<iovec>, until deadline: Deadline?) -> Int {
        var message = msghdr()
        message.msg_iov = pieces.baseAddress
        message.msg_iovlen = min(pieces.count, 1024)
        while true {
            let sent = sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
            if sent >= 0 { return sent }
            if errno == EINTR { continue }
            guard errno == EAGAIN || errno == EWOULDBLOCK else { return fail(errno, -1) }
            guard wait(for: CShort(POLLOUT), until: deadline) else { return -1 }
        }
    }

    /// Whether the peer has ended the connection and everything was read.
    var isClosedByPeer: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
        return count == 0 || count < 0 && errno != EAGAIN && errno != EWOULDBLOCK
    }

    /// Sets one of the system's options.
    func setOption(_ level: CInt, _ name: CInt, _ value: UnsafeRawPointer?, _ count: socklen_t)
        -> CInt
    {
        setsockopt(descriptor, level, name, value, count)
    }

    /// Waits until it can be read or written, or has failed.
    ///
    /// - Returns: false when the time is over (`ETIMEDOUT`), and when the caller was cancelled or
    ///   the server found to be silent (`ECONNABORTED`).
    func wait(for events: CShort, until deadline: Deadline?) -> Bool {
        let start = MonotonicClock.now
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            let remaining = deadline?.remainingMilliseconds ?? Int32.max
            if poll(&entry, 1, min(remaining, Self.sliceMilliseconds)) > 0 { return true }
            if mustEnd(waitingSince: start) {
                _ = fail(ECONNABORTED, -1)
                return false
            }
            if let deadline, deadline.isOver {
                _ = fail(remaining == 0 ? EAGAIN : ETIMEDOUT, -1)
                return false
            }
        }
    }

    private func mustEnd(waitingSince start: Int64) -> Bool {
        if link.mustEnd(waitingSince: start) { return true }
        let silence = host.silence(waitingSince: start, condemnedBefore: condemnationCount)
        if let silence { link.lose(host.place, afterSeconds: silence) }
        return silence != nil
    }

    private func fail(_ code: CInt, _ result: Int) -> Int {
        lastErrno.store(code, ordering: .relaxed)
        errno = code
        return result
    }
}
