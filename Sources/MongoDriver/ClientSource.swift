import CMongoC
import Dispatch
import Synchronization

/// Makes libmongoc's pool of clients: at once where the connection string names the servers, else
/// when it is first needed. For `mongodb+srv` DNS is asked for them, which blocks and may fail for
/// a while.
final class ClientSource: Sendable {
    private let uri: MongoURI
    private let dialer: Dialer
    private let clientCountMax: Int
    private let pool = Mutex<ClientPool?>(nil)

    /// - Throws: `MongoError` with `invalidURI` when libmongoc cannot work with the string.
    init(_ uri: MongoURI, _ dialer: Dialer, clientCountMax: Int) throws(MongoError) {
        self.uri = uri
        self.dialer = dialer
        self.clientCountMax = clientCountMax
        if uri.handle.serviceHost == nil { _ = try clients() }
    }

    /// The pool; made when there is none yet.
    ///
    /// - Throws: `MongoError` with `serverSelection` when DNS does not know the servers, and as
    ///   `init`.
    func clients() throws(MongoError) -> ClientPool {
        try pool.withLock { pool throws(MongoError) in
            if let pool { return pool }
            let made = try ClientPool(uri, dialer, clientCountMax: clientCountMax)
            pool = made
            return made
        }
    }

    /// The servers that connections will lead to.
    ///
    /// - Throws: as `clients`.
    func servers() async throws -> NamedServers {
        guard uri.handle.serviceHost != nil else { return NamedServers(uri.handle.pointer) }
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "cairn.service-lookup").async {
                continuation.resume(with: Result { try self.clients().servers() })
            }
        }
    }
}
