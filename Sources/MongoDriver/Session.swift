import BSONBytes
import CMongoC

/// Owns an explicit session without causal consistency: cursors need one, for a getMore must carry
/// the `lsid` that its find had.
///
/// Unchecked: made, used and let go on the executor of one connection only, where the client that
/// it belongs to lives.
final class Session: @unchecked Sendable {
    private let pointer: OpaquePointer
    /// Outlives the session, as libmongoc demands.
    private let client: Client

    /// - Parameters:
    ///   - client: what the session belongs to.
    ///   - clientPointer: its handle.
    /// - Returns: nil with `failure` filled in when the deployment has no sessions.
    init?(of client: Client, _ clientPointer: OpaquePointer, _ failure: inout bson_error_t) {
        let options = mongoc_session_opts_new()
        defer { mongoc_session_opts_destroy(options) }
        mongoc_session_opts_set_causal_consistency(options, false)
        guard let session = mongoc_client_start_session(clientPointer, options, &failure) else {
            return nil
        }
        pointer = session
        self.client = client
    }

    deinit {
        mongoc_client_session_destroy(pointer)
    }

    /// Starts a transaction with write concern `{w: 1}`.
    func startTransaction() throws(MongoError) {
        let options = mongoc_transaction_opts_new()
        let concern = mongoc_write_concern_new()
        defer {
            mongoc_transaction_opts_destroy(options)
            mongoc_write_concern_destroy(concern)
        }
        mongoc_write_concern_set_w(concern, 1)
        mongoc_transaction_opts_set_write_concern(options, concern)
        var failure = bson_error_t()
        guard mongoc_client_session_start_transaction(pointer, options, &failure) else {
            throw error(failure, reply: nil, context: "starting a transaction")
        }
    }

    /// Makes what the transaction has done happen.
    func commitTransaction() throws(MongoError) {
        var failure = bson_error_t()
        let reply = Reply()
        guard mongoc_client_session_commit_transaction(pointer, reply.pointer, &failure) else {
            throw error(
                failure, reply: try reply.document(), context: "committing a transaction")
        }
    }

    /// Makes it not happen. Whether the server hears of it or not, it will not.
    func abortTransaction() {
        mongoc_client_session_abort_transaction(pointer, nil)
    }

    private func error(
        _ failure: bson_error_t, reply: BSONDocument?, context: String
    ) -> MongoError {
        client.lossOrError(failure, reply: reply, context: context, server: client.redactedURI)
    }

    /// Adds the session to a command's options.
    func append(to options: OpaquePointer, _ failure: inout bson_error_t) -> Bool {
        mongoc_client_session_append(pointer, options, &failure)
    }
}
