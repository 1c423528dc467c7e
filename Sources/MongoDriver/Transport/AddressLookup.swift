import Dispatch
import Glibc
import Synchronization

/// Why there is no connection to a server.
struct DialError: Error, Sendable {
    enum Kind: Sendable {
        /// No such name is known.
        case unknownName
        /// The name could not be looked up now.
        case lookupFailed
        /// The machine is there, and nothing listens.
        case refused
        /// Nothing came back.
        case timedOut
        /// No way leads to the machine, or it is switched off.
        case unreachable
        /// The system says no for another reason.
        case system
        /// Whoever wanted it was cancelled, or the server was found to be silent.
        case givenUp
    }

    let kind: Kind
    /// In lowercase, without the server's name.
    let detail: String

    /// Whether it tells that nothing answers there; else that it could not be tried.
    var isSilence: Bool {
        switch kind {
        case .refused, .timedOut, .unreachable, .givenUp: true
        case .unknownName, .lookupFailed, .system: false
        }
    }
}

/// A socket address as the system takes it.
struct SocketAddress: Sendable {
    let family: CInt
    let bytes: [UInt8]
}

/// Looks names up. The C library's lookup can't be interrupted, so it runs on a thread of its own,
/// and is left to itself when the time is over.
enum AddressLookup {
    /// The addresses of a server, best first.
    ///
    /// - Parameter isGivenUp: asked every now and then.
    /// - Throws: `DialError`.
    static func addresses(
        of place: ServerPlace, until deadline: Deadline, isGivenUp: () -> Bool
    ) throws(DialError) -> [SocketAddress] {
        if place.isLocalSocket { return [try localSocket(place.host)] }
        // Numbers need no look-up and no thread.
        if case .success(let addresses) = lookUp(place, flags: AI_NUMERICHOST) { return addresses }
        let answer = Answer()
        DispatchQueue(label: "cairn.address-lookup").async {
            answer.set(lookUp(place, flags: AI_ADDRCONFIG))
        }
        while true {
            if let result = answer.wait(milliseconds: min(100, deadline.remainingMilliseconds)) {
                return try result.get()
            }
            if isGivenUp() { throw DialError(kind: .givenUp, detail: "it was given up") }
            if deadline.isOver {
                throw DialError(kind: .lookupFailed, detail: "its name was not looked up in time")
            }
        }
    }

    /// What the thread finds.
    private final class Answer: Sendable {
        private let result = Mutex<Result<[SocketAddress], DialError>?>(nil)
        private let semaphore = DispatchSemaphore(value: 0)

        func set(_ found: Result<[SocketAddress], DialError>) {
            result.withLock { $0 = found }
            semaphore.signal()
        }

        func wait(milliseconds: Int32) -> Result<[SocketAddress], DialError>? {
            guard semaphore.wait(timeout: .now() + .milliseconds(Int(milliseconds))) == .success
            else { return nil }
            return result.withLock { $0 }
        }
    }

    private static func lookUp(
        _ place: ServerPlace, flags: CInt
    ) -> Result<[SocketAddress], DialError> {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(place.host, "\(place.port)", &hints, &list)
        guard status == 0 else {
            let isUnknown = [EAI_NONAME, CInt(-5)].contains(status)
            let reason = isUnknown ? "no such host is known" : String(cString: gai_strerror(status))
            return .failure(
                DialError(kind: isUnknown ? .unknownName : .lookupFailed, detail: reason))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            let bytes = UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
            addresses.append(SocketAddress(family: entry.ai_family, bytes: Array(bytes)))
            next = entry.ai_next
        }
        return .success(addresses)
    }

    private static func localSocket(_ path: String) throws(DialError) -> SocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { target in
            let bytes = Array(path.utf8)
            guard bytes.count < target.count else { return false }
            target.copyBytes(from: bytes)
            return true
        }
        guard fits else {
            throw DialError(kind: .system, detail: "the path of the socket is too long")
        }
        return SocketAddress(
            family: AF_UNIX, bytes: withUnsafeBytes(of: address) { Array($0) })
    }
}
