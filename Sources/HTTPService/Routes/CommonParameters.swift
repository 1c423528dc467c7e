/// Parameters that several endpoints have.
enum CommonParameters {
    /// The path's parameter for a snapshot.
    static let backupParameter = Endpoint.Parameter.path(
        "backup_id", FieldSchemas.backupID, "The backup's identifier.")
    /// The path's parameter for a job.
    static let jobParameter = Endpoint.Parameter.path(
        "job_id", FieldSchemas.jobID, "The job's name.")

    /// For changes that may be sent again.
    static let idempotencyKey = Endpoint.Parameter.header(
        "Idempotency-Key",
        .string(
            Schema.TextRule(
                lengths: 1...255, pattern: "[\\x21-\\x7e]+",
                else: "is not printable ASCII without spaces")),
        "A key of the caller's, new for each request. A repetition with the same key within 24 "
            + "hours is answered like the first, and nothing is done again.")
    /// For what is long.
    static let prefer = Endpoint.Parameter.header(
        "Prefer", .string(Schema.TextRule(lengths: 0...1024)),
        "`wait=N`: wait up to N seconds, at most 60, for the end.")
}
