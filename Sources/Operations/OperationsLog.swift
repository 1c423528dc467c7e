public import ServiceState

/// What is told of jobs to whom it may concern: logs and metrics.
public protocol OperationsLog: Sendable {
    /// A job has ended.
    func finished(_ job: JobRecord)
    /// Something has failed that nobody is waiting for.
    func failed(_ what: String, job: String?, _ error: any Error)
    /// Something that an operator should know.
    func noticed(_ message: String, job: String?)
}
