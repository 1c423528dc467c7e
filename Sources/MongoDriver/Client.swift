import BSONBytes
import CMongoC
import Dispatch

/// Owns one `mongoc_client_t` out of a pool and gives it back at the end. Every call blocks, so
/// only a connection's executor calls.
final class Client {
    /// Valid as long as this object.
    let pointer: OpaquePointer
    /// Outlives the client, as libmongoc demands.
    private let pool: ClientPool

    /// Takes a client out of the pool, which has one left: the Swift pool counts.
    init(_ pool: ClientPool) throws(MongoError) {
        guard let client = mongoc_client_pool_try_pop(pool.pointer) else {
            throw MongoError(.poolClosed, "the client pool has no client left")
        }
        pointer = client
        self.pool = pool
    }

    deinit {
        mongoc_client_pool_push(pool.pointer, pointer)
    }

    /// The connection string without its secrets.
    var redactedURI: String { pool.redactedURI }

    /// The connection string's read concern level, or nil.
    var readConcernLevel: String? {
        mongoc_read_concern_get_level(mongoc_client_get_read_concern(pointer))
            .map { String(cString: $0) }
    }

    /// Sends one command and waits for its reply.
    ///
    /// - Parameter command: one document's bytes. They may exceed 16 MiB by what a command wraps
    ///   around the largest document.
    /// - Throws: `MongoError` when no reply came, when it says `ok: 0`, or when it carries a
    ///   `writeConcernError`. `writeErrors` are left in the reply.
    func execute(
        _ command: UnsafeRawBufferPointer, on database: String, along route: Route
    ) throws(MongoError) -> Reply {
        let context = "\(Self.name(of: command)) on \"\(database)\""
        var failure = bson_error_t()
        let options = bson_new()
        defer { bson_destroy(options) }
        guard let options, fill(options, from: route, &failure) else {
            throw error(failure, reply: nil, context: context, route: route)
        }
        let reply = Reply()
        let succeeded = withBorrowedDocument(command) { document in
            send(document, database, options, route, reply, &failure)
        }
        guard let succeeded else {
            throw MongoError(.command, "\(context) is not one BSON document")
        }
        let concern = reply.withElement(at: "writeConcernError") { _ in true }
        if concern == true,
            let error = try reply.document().field("writeConcernError", \.document)
        {
            throw MongoError(
                writeConcernError: error, context: context, server: server(of: route))
        }
        guard succeeded else {
            throw error(failure, reply: try reply.document(), context: context, route: route)
        }
        return reply
    }

    /// Chooses a server for commands that have to go to the same one.
    func selectServer(for kind: CommandKind) throws(MongoError) -> UInt32 {
        var failure = bson_error_t()
        let preferences = kind == .read ? mongoc_client_get_read_prefs(pointer) : nil
        guard
            let server = mongoc_client_select_server(
                pointer, kind == .write, preferences, &failure)
        else {
            throw MongoError(
                failure, reply: nil, context: "choosing a server", server: redactedURI)
        }
        defer { mongoc_server_description_destroy(server) }
        return mongoc_server_description_id(server)
    }

    /// Whether the deployment recognizes a write that it has done already by session and
    /// transaction number, and the connection string does not say `retryWrites=false`.
    func recognizesRepetitions() throws(MongoError) -> Bool {
        guard pool.mayNumberWrites else { return false }
        let server = try selectServer(for: .write)
        guard let description = mongoc_client_get_server_description(pointer, server) else {
            return false
        }
        defer { mongoc_server_description_destroy(description) }
        return String(cString: mongoc_server_description_type(description)) != "Standalone"
    }

    /// Starts a session.
    func startSession() throws(MongoError) -> Session {
        var failure = bson_error_t()
        guard let session = Session(of: self, pointer, &failure) else {
            throw MongoError(
                failure, reply: nil, context: "starting a session", server: redactedURI)
        }
        return session
    }

    // MARK: One command

    private func send(
        _ command: OpaquePointer, _ database: String, _ options: OpaquePointer, _ route: Route,
        _ reply: Reply, _ failure: inout bson_error_t
    ) -> Bool {
        let preferences = route.kind == .read ? mongoc_client_get_read_prefs(pointer) : nil
        // libmongoc adds its concern also where there is one, and it repeats a read on whichever
        // server it likes, also when a cursor or a session ties it to one.
        let isPlain = route.serverID == nil && route.session == nil
        if route.kind == .read, isPlain, !bson_has_field(command, "readConcern") {
            return mongoc_client_read_command_with_opts(
                pointer, database, command, preferences, options, reply.pointer, &failure)
        }
        if route.kind == .write, !bson_has_field(command, "writeConcern") {
            return mongoc_client_write_command_with_opts(
                pointer, database, command, options, reply.pointer, &failure)
        }
        return mongoc_client_command_with_opts(
            pointer, database, command, preferences, options, reply.pointer, &failure)
    }

    private func fill(
        _ options: OpaquePointer, from route: Route, _ failure: inout bson_error_t
    ) -> Bool {
        if let server = route.serverID {
            bson_append_int32(options, "serverId", -1, Int32(server))
        }
        return route.session?.append(to: options, &failure) ?? true
    }

    private func error(
        _ failure: bson_error_t, reply: BSONDocument?, context: String, route: Route
    ) -> MongoError {
        MongoError(failure, reply: reply, context: context, server: server(of: route))
    }

    /// `host:port` of a pinned server, else the connection string without its secrets.
    private func server(of route: Route) -> String {
        guard let serverID = route.serverID,
            let server = mongoc_client_get_server_description(pointer, serverID)
        else { return redactedURI }
        defer { mongoc_server_description_destroy(server) }
        guard let host = mongoc_server_description_host(server) else { return redactedURI }
        return cString(in: host.pointee.host_and_port)
    }

    /// A command's name is its first field's.
    private static func name(of command: UnsafeRawBufferPointer) -> String {
        String(decoding: command.dropFirst(5).prefix { $0 != 0 }, as: UTF8.self)
    }
}

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

    /// - Parameter clientCountMax: how many clients may be out at a time.
    init(_ uri: MongoURI, clientCountMax: Int) throws(MongoError) {
        var failure = bson_error_t()
        mayNumberWrites = uri.handle.mayNumberWrites
        guard let pool = mongoc_client_pool_new_with_error(uri.handle.pointer, &failure) else {
            throw MongoError(
                .invalidURI, "the connection string cannot be used: \(failure.text)",
                server: uri.description)
        }
        pointer = pool
        redactedURI = uri.description
        mongoc_client_pool_set_error_api(pool, 2)
        mongoc_client_pool_max_size(pool, UInt32(clientCountMax))
    }

    /// Nobody waits for it: libmongoc joins the threads that watch the servers, and each of those
    /// looks up only every half second.
    deinit {
        nonisolated(unsafe) let pointer = pointer
        DispatchQueue.global().async { mongoc_client_pool_destroy(pointer) }
    }
}
