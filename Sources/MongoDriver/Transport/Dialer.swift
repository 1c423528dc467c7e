import CMongoC
import Glibc
import Synchronization

/// Opens the streams of a pool: TCP or a local socket, with TLS where the connection string asks
/// for it.
final class Dialer: Sendable {
    /// Why a TLS stream could not be had on a connection that was made.
    struct HandshakeError: Error, Sendable {
        /// libmongoc's and OpenSSL's words.
        let detail: String
        /// Whether nothing came in time, or the caller was cancelled.
        let isSilence: Bool
    }

    /// For the server's name and time limits.
    let uri: URIHandle
    /// Nil where connections are plain.
    let tls: TLSSettings?
    /// Where it says that a server is silent.
    let notices = ServerNotices()
    private let hosts = Mutex<[ServerPlace: WatchedHost]>([:])

    /// - Throws: `MongoError` with `invalidURI` for a file that can't be used.
    init(_ uri: URIHandle) throws(MongoError) {
        self.uri = uri
        tls = try TLSSettings(uri.pointer)
    }

    deinit {
        for host in hosts.withLock({ $0.values }) { host.forget() }
    }

    /// The server as all connections of the pool see it.
    func host(_ place: ServerPlace) -> WatchedHost {
        hosts.withLock { hosts in
            if let host = hosts[place] { return host }
            let host = WatchedHost(place, notices) { [weak self] host, deadline in
                guard let self else { throw DialError(kind: .givenUp, detail: "the pool is gone") }
                let link = ConnectionLink(self)
                let stream = try open(host, for: link, until: deadline)
                return HelloConnection(stream, link)
            }
            hosts[place] = host
            return host
        }
    }

    /// What connecting may take, in milliseconds.
    var connectMilliseconds: Int {
        Int(mongoc_uri_get_option_as_int32(uri.pointer, MONGOC_URI_CONNECTTIMEOUTMS, 5000))
    }

    /// Connects, and shakes hands where TLS is used. The stream is the caller's.
    ///
    /// - Throws: `DialError`, `HandshakeError`.
    func open(
        _ host: WatchedHost, for link: ConnectionLink, until deadline: Deadline
    ) throws -> UnsafeMutablePointer<mongoc_stream_t> {
        let plain = try openPlain(host, for: link, until: deadline)
        guard let tls else { return plain }
        return try Self.secure(plain, tls, host.place, link, until: deadline)
    }

    /// Connects without TLS, whatever the connection string says.
    ///
    /// - Throws: `DialError`.
    func openPlain(
        _ host: WatchedHost, for link: ConnectionLink, until deadline: Deadline
    ) throws(DialError) -> UnsafeMutablePointer<mongoc_stream_t> {
        SocketStream.make(try WatchedSocket.connect(to: host, for: link, until: deadline))
    }

    /// Shakes hands on a connection that was made.
    ///
    /// - Parameter stream: taken over, also when it fails.
    /// - Throws: `HandshakeError`.
    static func secure(
        _ stream: UnsafeMutablePointer<mongoc_stream_t>, _ tls: TLSSettings, _ place: ServerPlace,
        _ link: ConnectionLink, until deadline: Deadline
    ) throws(HandshakeError) -> UnsafeMutablePointer<mongoc_stream_t> {
        let (secured, complaints) = DriverLog.capture { tls.wrap(stream, host: place.host) }
        guard let secured else {
            mongoc_stream_destroy(stream)
            throw HandshakeError(
                detail: complaints.last ?? "TLS could not be set up", isSilence: false)
        }
        var failure = bson_error_t()
        let isDone = mongoc_stream_tls_handshake_block(
            secured, place.host, max(1, deadline.remainingMilliseconds), &failure)
        guard isDone else {
            mongoc_stream_destroy(secured)
            let lead = "TLS handshake failed: "
            let text = failure.text
            throw HandshakeError(
                detail: text.hasPrefix(lead) ? String(text.dropFirst(lead.count)) : text,
                isSilence: deadline.isOver || link.isCancelled)
        }
        return secured
    }

    /// For `mongoc_client_set_stream_initiator`; the context is a `ConnectionLink` that outlives
    /// the client.
    static let initiator: mongoc_stream_initiator_t = { _, entry, context, failure in
        guard let entry, let context else { return nil }
        let link = Unmanaged<ConnectionLink>.fromOpaque(context).takeUnretainedValue()
        guard let dialer = link.dialer else { return nil }
        let place = ServerPlace(entry.pointee)
        do {
            let stream = try dialer.open(
                dialer.host(place), for: link,
                until: Deadline(milliseconds: dialer.connectMilliseconds))
            // Replies are read in pieces, the first of four bytes.
            return mongoc_stream_buffered_new(stream, 1024)
        } catch let error as DialError {
            failure?.pointee.set(
                MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "\(place): \(error.detail)")
        } catch let error as HandshakeError {
            failure?.pointee.set(
                MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET,
                "\(place): the TLS handshake failed: \(error.detail)")
        } catch {
            failure?.pointee.set(
                MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "\(place): \(error)")
        }
        return nil
    }
}

extension bson_error_t {
    /// Fills it in, as libmongoc's own functions do.
    fileprivate mutating func set(
        _ domain: mongoc_error_domain_t, _ number: mongoc_error_code_t, _ text: String
    ) {
        self.domain = domain.rawValue
        code = number.rawValue
        withUnsafeMutableBytes(of: &message) { target in
            let bytes = text.utf8.prefix(target.count - 1)
            target.copyBytes(from: bytes)
            target[bytes.count] = 0
        }
    }
}
