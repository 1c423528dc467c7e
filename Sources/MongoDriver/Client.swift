import BSONBytes
import CMongoC

/// Owns one `mongoc_client_t` out of a pool and gives it back at the end. Every call blocks, so
/// only a connection's executor calls.
final class Client {
    /// Valid as long as this object.
    let pointer: OpaquePointer
    /// Outlives the client, as libmongoc demands.
    private let pool: ClientPool
    /// What its sockets know of whoever uses it.
    let link: ConnectionLink

    /// Takes a client out of the pool, which has one left: the Swift pool counts.
    init(_ pool: ClientPool) throws(MongoError) {
        guard let client = mongoc_client_pool_try_pop(pool.pointer) else {
            throw MongoError(.poolClosed, "the client pool has no client left")
        }
        pointer = client
        self.pool = pool
        link = pool.makeLink()
        mongoc_client_set_stream_initiator(
            client, Dialer.initiator, Unmanaged.passUnretained(link).toOpaque())
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
        var context: String { Self.subject(of: command, database) }
        var failure = bson_error_t()
        let options = bson_new()
        defer { bson_destroy(options) }
        guard let options, fill(options, from: route, &failure) else {
            throw error(failure, reply: nil, context: context, route: route)
        }
        var reply = Reply()
        let succeeded = withBorrowedDocument(command) { document in
            repeatingSelection(&reply, &failure) { reply, failure in
                send(document, database, options, route, reply, &failure)
            }
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
        var found: OpaquePointer?
        var reply = Reply()
        let isFound = repeatingSelection(&reply, &failure) { _, failure in
            found = mongoc_client_select_server(pointer, kind == .write, preferences, &failure)
            return found != nil
        }
        guard isFound, let server = found else {
            throw lossOrError(
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

    /// Calls libmongoc again while no server is suitable and the connection string's time for that
    /// is not over: it waits in short turns, so that the caller can be cancelled. Nothing was sent
    /// by a call that found no server.
    func repeatingSelection(
        _ reply: inout Reply, _ failure: inout bson_error_t,
        _ call: (Reply, inout bson_error_t) -> Bool
    ) -> Bool {
        let deadline = Deadline(milliseconds: pool.selectionMilliseconds)
        _ = link.takeLoss()
        while true {
            if call(reply, &failure) { return true }
            let isSelection = failure.domain == MONGOC_ERROR_SERVER_SELECTION.rawValue
            guard isSelection, !deadline.isOver, !link.isCancelled else { return false }
            reply = Reply()
            failure = bson_error_t()
        }
    }

    /// What a failed call is reported as: that a server was found to be silent meanwhile, else what
    /// libmongoc says.
    func lossOrError(
        _ failure: bson_error_t, reply: BSONDocument?, context: String, server: String
    ) -> MongoError {
        guard let loss = link.takeLoss() else {
            let error = MongoError(failure, reply: reply, context: context, server: server)
            guard error.code == .unauthorized, !pool.hasUser else { return error }
            return MongoError(
                .authentication, "\(context) needs a user, and the connection string names none",
                serverCode: error.serverCode, codeName: error.codeName, server: server)
        }
        return MongoError(
            .network,
            "\(context) was given up: the server has not answered for \(Int(loss.seconds)) s",
            server: loss.place.description, silentSeconds: loss.seconds)
    }

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
        lossOrError(failure, reply: reply, context: context, server: server(of: route))
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

    /// What a command does: its name and the collection that it is about, or the database.
    static func subject(of command: UnsafeRawBufferPointer, _ database: String) -> String {
        var reader = BSONElementReader(Array(command.prefix(subjectByteCountMax))[...])
        do {
            guard let first = try reader.next() else { return "a command on \"\(database)\"" }
            // A cursor's collection is named behind its number.
            let named = first.name == "getMore" ? try reader.next()?.value : first.value
            guard let name = named?.string else { return "\(first.name) on \"\(database)\"" }
            let isWhole = ["renameCollection", "splitVector"].contains(first.name)
            return "\(first.name) on " + (isWhole ? name : "\(database).\(name)")
        } catch {
            return "a command on \"\(database)\""
        }
    }

    /// Where a command's name and its collection's are.
    private static let subjectByteCountMax = 1024
}
