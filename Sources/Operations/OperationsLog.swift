public import ServiceState

/// What is told of jobs to whom it may concern: logs and metrics.
public protocol OperationsLog: Sendable {
    /// A job has ended.
    func finished(_ job: JobRecord)
    /// Something has failed that nobody is waiting for.
    func failed(_ what: String, job: String?, _ error: any Error)
    /// Something that an operator should know.
    func noticed(_ message: String, job: String?)
    /// A job was told to end and did not, so that nobody waits for it any more.
    func gaveUp(_ job: StuckJob)
    /// It was tried to remove a snapshot.
    ///
    /// - Parameter isAsked: whether somebody asked for this one; else retention chose it.
    func removed(_ snapshot: String, isAsked: Bool, hasSucceeded: Bool)
}

/// A job that was told to end and is at work still.
public struct StuckJob: Sendable, Hashable {
    /// The job's name.
    public var id: String
    /// Its kind.
    public var kind: String
    /// What it was last seen to do, such as "reading"; nil when it has told nothing.
    public var phase: String?
    /// For how long nobody has waited for it any more.
    public var seconds: Double
}
