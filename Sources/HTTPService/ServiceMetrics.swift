internal import CoreMetrics
internal import HTTPTypes
internal import Operations
internal import PrometheusMetrics
internal import ServiceState

/// What monitors are told: Velero's set, by job kind, and the HTTP interface's own.
struct ServiceMetrics: Sendable {
    /// Where they are kept.
    let registry: PrometheusRegistry

    init() {
        var options = PrometheusRegistry.Options()
        options.bucketsByLabel[Self.jobSeconds] = HistogramBuckets([
            1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 43200,
        ])
        registry = PrometheusRegistry(options: options)
        for (label, help) in Self.descriptions { registry.describe(label, as: help) }
        // From the start, so that a rate can be told of the first failure.
        for kind in JobRequest.kinds {
            for label in [
                Self.attempts, Self.successes, Self.partialFailures, Self.failures,
                Self.cancellations,
            ] {
                counter(label, Self.labels(kind)).increment(by: 0)
            }
        }
        for by in ["request", "retention"] {
            for outcome in ["removed", "failed"] {
                counter(Self.deletions, [("by", by), ("outcome", outcome)]).increment(by: 0)
            }
        }
        counter(Self.stalls, []).increment(by: 0)
        counter(Self.givenUp, []).increment(by: 0)
        registry.addCollector { ProcessFigures.samples() }
    }

    private static let attempts = "cairn_job_attempts_total"
    private static let successes = "cairn_job_successes_total"
    private static let partialFailures = "cairn_job_partial_failures_total"
    private static let failures = "cairn_job_failures_total"
    private static let cancellations = "cairn_job_cancellations_total"
    private static let jobSeconds = "cairn_job_duration_seconds"
    private static let requests = "cairn_http_requests_total"
    private static let requestSeconds = "cairn_http_request_duration_seconds"
    private static let refusedTokens = "cairn_authentication_failures_total"
    private static let refusals = "cairn_http_refusals_total"
    private static let stalls = "cairn_http_stalled_answers_total"
    private static let deletions = "cairn_backup_deletions_total"
    private static let givenUp = "cairn_jobs_given_up_total"

    private static let descriptions = [
        (attempts, "Jobs that were begun and have ended, by kind."),
        (successes, "Jobs that have done all they were to do."),
        (partialFailures, "Jobs that have left something undone."),
        (failures, "Jobs that have failed."),
        (cancellations, "Jobs that were cancelled."),
        (jobSeconds, "How long jobs took, from their beginning."),
        (requests, "HTTP requests that were answered."),
        (requestSeconds, "How long it took until an answer began."),
        (refusedTokens, "Tokens that were refused."),
        (refusals, "Requests that were refused or have failed, by the problem's code."),
        (stalls, "Answers that were ended because their clients took nothing of them."),
        (deletions, "Backups that were to be removed, by whom, and what became of it."),
        (givenUp, "Jobs that were cancelled and did not end."),
    ]

    /// Takes values that are read when a monitor asks. Those that can't be read, or not in time,
    /// are left out.
    func collect(_ sources: [ServiceStatistics.Source], _ log: ServiceLog) {
        let readings = sources.map { GaugeReading($0, log) }
        registry.addCollector {
            await withTaskGroup(of: [Sample].self) { group in
                for reading in readings { group.addTask { await reading.samples() } }
                return await group.reduce(into: []) { $0 += $1 }
            }
        }
    }

    /// Takes the numbers of answers that last.
    func collect(_ streams: ServiceEnvironment.Streams) {
        registry.addCollector {
            [("events", streams.events), ("download", streams.downloads)].map { kind, slots in
                Sample(
                    "cairn_http_streams", value: Double(slots.count), labels: ["kind": kind],
                    help: "Answers that last and are being given.")
            }
        }
    }

    /// All of it in the text format.
    func text() async -> String { await registry.text() }

    /// A request was answered.
    func answered(
        _ method: HTTPRequest.Method, _ route: String, _ status: HTTPResponse.Status,
        seconds: Double
    ) {
        // What is no route or method of ours is not a label: clients could make up any number.
        let method = Self.methods.contains(method) ? method.rawValue : "other"
        let labels = [("method", method), ("route", route)]
        counter(Self.requests, labels + [("status", String(status.code))]).increment(by: 1)
        timer(Self.requestSeconds, labels).recordNanoseconds(Int64(seconds * 1e9))
    }

    private static let methods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .delete, .patch, .options,
    ]

    /// A token was refused.
    func refusedToken(_ code: String) {
        counter(Self.refusedTokens, [("code", code)]).increment(by: 1)
    }

    /// A request was refused, or has failed.
    func refused(_ code: String) {
        // Codes of servers below are among them, of which there may be any number.
        let known = ProblemKinds.meanings[code] != nil
        counter(Self.refusals, [("reason", known ? code : "other")]).increment(by: 1)
    }

    /// A client has taken nothing of its answer for too long.
    func stalled() { counter(Self.stalls, []).increment(by: 1) }

    /// It was tried to remove a backup.
    func removed(isAsked: Bool, hasSucceeded: Bool) {
        counter(
            Self.deletions,
            [
                ("by", isAsked ? "request" : "retention"),
                ("outcome", hasSucceeded ? "removed" : "failed"),
            ]
        ).increment(by: 1)
    }

    /// A job is not waited for any more.
    func gaveUp() { counter(Self.givenUp, []).increment(by: 1) }

    private static func labels(_ kind: String) -> [(String, String)] {
        ServiceStatistics.labels(ofKind: kind).map { ($0.key, $0.value) }
            .sorted { $0.0 < $1.0 }
    }

    /// A job has ended.
    func finished(_ job: JobRecord) {
        let kind = Self.labels(job.kind)
        counter(Self.attempts, kind).increment(by: 1)
        switch job.status {
        case .succeeded: counter(Self.successes, kind).increment(by: 1)
        case .partiallyFailed: counter(Self.partialFailures, kind).increment(by: 1)
        case .failed: counter(Self.failures, kind).increment(by: 1)
        case .canceled: counter(Self.cancellations, kind).increment(by: 1)
        case .pending, .inProgress: break
        }
        if let started = job.startedAt, let finished = job.finishedAt {
            timer(Self.jobSeconds, kind).recordNanoseconds((finished - started) * 1_000_000)
        }
    }

    private func counter(_ label: String, _ labels: [(String, String)]) -> any CounterHandler {
        registry.makeCounter(label: label, dimensions: labels)
    }

    private func timer(_ label: String, _ labels: [(String, String)]) -> any TimerHandler {
        registry.makeTimer(label: label, dimensions: labels)
    }
}
