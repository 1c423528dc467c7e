internal import AccessControl
internal import Foundation
internal import Operations
internal import ServiceState

/// What endpoints know and reach.
struct ServiceEnvironment: Sendable {
    let state: StateStore
    let runner: JobRunner
    let scheduler: Scheduler
    let snapshots: SnapshotLibrary
    let statistics: ServiceStatistics
    let trail: AuditTrail
    let streams: Streams
    let readiness: Readiness
    let metrics: ServiceMetrics
    let verifier: TokenVerifier
    let permissions: PermissionMatrix
    let limits: Limits
    let gate: AnswerGate
    /// Whether anybody may read the metrics.
    let hasOpenMetrics: Bool
    /// Milliseconds since 1970 UTC.
    let now: @Sendable () -> Int64

    /// The same as others have it.
    func date() -> Date { Date(timeIntervalSince1970: Double(now()) / 1000) }

    /// Answers that last, by their kind.
    struct Streams: Sendable {
        /// Events of jobs.
        let events: StreamSlots
        /// Archives, which take memory too.
        let downloads: StreamSlots
    }

    /// How much clients may ask.
    struct Limits: Sendable {
        /// Requests of a subject.
        let subjects: TokenBuckets
        /// Requests of an address.
        let addresses: TokenBuckets
        /// Tokens of an address that were refused.
        let failures: TokenBuckets
        let bodyByteCountMax: Int
        let bodySecondsMax: Int
        let handlingSecondsMax: Int
    }
}
