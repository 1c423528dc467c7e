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
        logger.log(
            level: isBad ? .error : .notice, "job ended",
            metadata: [
                "job_id": "\(job.id)", "kind": "\(job.kind)", "status": "\(job.status.rawValue)",
                "error": "\(job.error ?? "")",
            ])
    }

    func failed(_ what: String, job: String?, _ error: any Error) {
        logger.error("\(what)", metadata: ["job_id": "\(job ?? "")", "reason": "\(error)"])
    }

    func noticed(_ message: String, job: String?) {
        logger.warning("\(message)", metadata: ["job_id": "\(job ?? "")"])
    }
}
