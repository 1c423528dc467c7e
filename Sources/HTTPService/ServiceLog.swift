internal import Logging
internal import Operations
internal import ServiceState

/// Tells logs and metrics what becomes of jobs.
struct ServiceLog: OperationsLog {
    let logger: Logger
    let metrics: ServiceMetrics

    func finished(_ job: JobRecord) {
        metrics.finished(job)
        let isBad = job.status == .failed || job.status == .partiallyFailed
        var metadata: Logger.Metadata = [
            "job_id": "\(job.id)", "kind": "\(job.kind)", "status": "\(job.status.rawValue)",
        ]
        if let requestID = job.requestID { metadata["request_id"] = "\(requestID)" }
        if job.error != nil {
            let problem = Problem(jobError: job)
            metadata["code"] = "\(problem.code)"
            metadata["reason"] = "\(problem.detail)"
        }
        logger.log(level: isBad ? .error : .notice, "job ended", metadata: metadata)
    }

    func failed(_ what: String, job: String?, _ error: any Error) {
        logger.error("\(what)", metadata: ["job_id": "\(job ?? "")", "reason": "\(error)"])
    }

    func gaveUp(_ job: StuckJob) {
        metrics.gaveUp()
        logger.critical(
            "a cancelled job is still running; restart the service to end it",
            metadata: [
                "job_id": "\(job.id)", "kind": "\(job.kind)", "phase": "\(job.phase ?? "none")",
            ])
    }

    func removed(_ snapshot: String, isAsked: Bool, hasSucceeded: Bool) {
        metrics.removed(isAsked: isAsked, hasSucceeded: hasSucceeded)
    }

    func noticed(_ message: String, job: String?) {
        logger.warning("\(message)", metadata: ["job_id": "\(job ?? "")"])
    }
}
