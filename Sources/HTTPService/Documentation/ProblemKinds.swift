/// What the codes of problems mean. Those of the layers below are among them, so that a client can
/// look each one up; new ones may be added.
enum ProblemKinds {
    /// Where readers find a code explained.
    static func reference(_ code: String) -> String {
        meanings[code] == nil ? "/docs#problems" : "/docs#problem-\(code)"
    }

    /// By code.
    static let meanings: [String: String] = [
        // The request.
        "malformed_request": "What was sent is no HTTP/1.1 request.",
        "invalid_host": "The request has no `Host`, two of them, or one that is no host.",
        "too_many_streams": "There are too many event streams or downloads; `Retry-After` says "
            + "when to try again.",
        "headers_too_large": "The path or the headers are longer than is allowed.",
        "malformed_json": "The body is no JSON.",
        "malformed_body": "The body could not be read.",
        "no_body": "The endpoint needs a JSON body.",
        "not_json": "The body is not said to be `application/json`.",
        "body_too_large": "The body is longer than is allowed.",
        "body_timeout": "The body did not arrive in time.",
        "invalid_request": "Fields are not valid; `errors` names all of them.",
        "method_not_allowed": "The path is there, and takes other methods: see `Allow`.",
        "no_such_range": "The archive is shorter than the range that was asked for.",
        "key_reused": "The idempotency key was used with another request.",
        "in_progress": "A request with the same idempotency key is being answered.",
        "too_many_requests": "There were too many requests; `Retry-After` says when to go on.",
        // Who asks.
        "no_token": "A bearer token is needed.",
        "token_invalid": "The token is not valid.",
        "token_expired": "The token has expired; get a new one.",
        "not_permitted": "The role does not have the permission that `detail` names.",
        "no_keys": "Tokens can't be verified now because there are no keys; try again later.",
        // What is asked about.
        "not_found": "There is no such path, backup, job, collection or document.",
        "locked": "Another job works on the same collections, or uses the backup.",
        "lock_lost": "The job's lock could not be renewed or was taken away, so it was cancelled.",
        "last_verified": "It is the last backup that is known to be whole; `force` removes it.",
        "already_finished": "The job has ended, so that it can't be cancelled.",
        "not_resumable": "The job can't be resumed, or another job has resumed it already.",
        "result_too_large": "The result is too large to be kept; ask for less.",
        "cancelled": "Somebody cancelled it.",
        "gave_up": "It was cancelled and did not end in time; the service has to be restarted.",
        "interrupted": "The service's process died before the job had ended.",
        "unfinished": "What was to be resumed does not exist, or is in use.",
        // Archives.
        "truncated": "The archive ends too early.",
        "not_an_archive": "The file is no archive.",
        "unsupported_version": "A newer version wrote the archive.",
        "length_out_of_bounds": "A length in the archive is impossible.",
        "checksum_mismatch": "Bytes of the archive are not those that were written.",
        "codec_failed": "A part of the archive can't be decompressed.",
        "malformed": "The archive is not of its format.",
        // The repository and the service.
        "repository_unavailable": "The repository's folder is gone; is it mounted?",
        "not_readable": "The repository may not be read.",
        "not_writable": "The repository may not be written.",
        "no_space": "The disk of the repository or of the records is full, or a quota used up; "
            + "nothing was done that could not be written down.",
        "io": "The repository's disk has failed.",
        "state_not_writable": "The service's records can't be written; nothing was done.",
        "state_busy": "Another process uses the service's records; try again.",
        "state_failed": "The disk of the service's records has failed, or is gone.",
        "state_damaged": "The service's records are damaged.",
        "too_many_jobs": "Too many jobs wait; try again later.",
        "shutting_down": "The service is shutting down.",
        "timeout": "The request took too long; try again.",
        "internal_error": "Something went wrong inside; the log has it under the request's name.",
        // The database server.
        "server_selection": "The database server can't be reached.",
        "network": "The connection to the database server broke.",
        "authentication": "The database server does not know the service's user.",
        "unauthorized": "The service's user may not do that on the database server.",
        "command": "The database server refused a command.",
        "write_concern": "The database server could not acknowledge what was written.",
        "too_large": "A document is larger than the database server takes.",
        "snapshot_unavailable": "The database server can't read as of one moment now.",
        "snapshot_too_old": "The database server no longer keeps the moment that was read.",
        "oplog_overflow": "The oplog does not reach back to the beginning of the backup.",
        "catalog_changed": "Collections were changed while they were backed up.",
        "namespace_conflict": "Collections, views and time series are in each other's way.",
        "not_equal": "What was loaded is not what the archive holds; nothing was replaced.",
        "refused": "The restore was refused before anything was written.",
        "unsupported": "The database server, or this version, can't do that.",
    ]
}
