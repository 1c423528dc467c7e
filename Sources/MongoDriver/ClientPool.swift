import CMongoC
import Dispatch
import Synchronization

/// Owns a `mongoc_client_pool_t`: the one view of the deployment that all its clients share, kept
/// up to date by libmongoc's own threads.
///
/// Unchecked: libmongoc locks the pool itself.
final class ClientPool: @unchecked Sendable {
    /// Whether the connection string lets writes carry transaction numbers (`retryWrites`).
    /// Libmongoc itself never numbers any: which inserts are numbered, and how often one is
    /// repeated, is decided in `MongoConnection.insert`.
    let mayNumberWrites: Bool
    /// Valid as long as this object.
    let pointer: OpaquePointer
    /// The connection string without its secrets.
    let redactedURI: String
    /// Whether connections are those of a user.
    let hasUser: Bool
    /// How long a suitable server is waited for, in milliseconds. libmongoc itself waits in turns
    /// of `URIHandle.selectionTurnMilliseconds`.
    let selectionMilliseconds: Int
    private let dialer: Dialer
    /// Of all clients there ever were: libmongoc keeps those that were given back, and may open a
    /// connection for one at the end.
    private let links = Mutex<[ConnectionLink]>([])

    /// - Parameters:
    ///   - dialer: opens the connections.
    ///   - clientCountMax: how many clients may be out at a time.
    init(_ uri: MongoURI, _ dialer: Dialer, clientCountMax: Int) throws(MongoError) {
        var failure = bson_error_t()
        mayNumberWrites = uri.handle.mayNumberWrites
        hasUser =
            mongoc_uri_get_username(uri.handle.pointer) != nil
            || mongoc_uri_get_auth_mechanism(uri.handle.pointer) != nil
        selectionMilliseconds = uri.handle.selectionMilliseconds
        self.dialer = dialer
        guard let pool = mongoc_client_pool_new_with_error(uri.handle.pointer, &failure) else {
            throw Self.explained(failure, uri)
        }
        pointer = pool
        redactedURI = uri.description
        mongoc_client_pool_set_error_api(pool, 2)
        mongoc_client_pool_max_size(pool, UInt32(clientCountMax))
    }

    private static func explained(_ failure: bson_error_t, _ uri: MongoURI) -> MongoError {
        let isLookup =
            failure.domain == MONGOC_ERROR_STREAM.rawValue
            && failure.code == MONGOC_ERROR_STREAM_NAME_RESOLUTION.rawValue
        guard isLookup, let name = uri.handle.serviceHost else {
            return MongoError(
                .invalidURI, "the connection string cannot be used: \(failure.text)",
                server: uri.description)
        }
        return MongoError(
            .serverSelection,
            "the servers of \(name) can't be looked up: \(failure.text); is the name in the "
                + "connection string right?")
    }

    /// The servers as libmongoc has found them.
    func servers() throws(MongoError) -> NamedServers {
        guard let client = mongoc_client_pool_try_pop(pointer) else {
            throw MongoError(.poolClosed, "the client pool has no client left")
        }
        defer { mongoc_client_pool_push(pointer, client) }
        return NamedServers(mongoc_client_get_uri(client))
    }

    /// What a client's sockets and its user share. Lives as long as the pool.
    func makeLink() -> ConnectionLink {
        let link = ConnectionLink(dialer)
        links.withLock { $0.append(link) }
        return link
    }

    /// Nobody waits for it: libmongoc joins the threads that watch the servers, and each of those
    /// looks up only every half second.
    deinit {
        nonisolated(unsafe) let pointer = pointer
        let links = links.withLock { $0 }
        let dialer = dialer
        DispatchQueue.global().async {
            mongoc_client_pool_destroy(pointer)
            withExtendedLifetime((links, dialer)) {}
        }
    }
}
