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

    /// Adds the session to a command's options.
    func append(to options: OpaquePointer, _ failure: inout bson_error_t) -> Bool {
        mongoc_client_session_append(pointer, options, &failure)
    }
}
