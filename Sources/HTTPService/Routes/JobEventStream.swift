internal import Foundation
internal import Operations
internal import ServiceLifecycle
internal import ServiceState
internal import SnapshotJSON

/// A job's events as `text/event-stream`: those there are, then new ones as they come, until the
/// job has ended, the client is gone, its token has expired or the service is shut down.
///
/// What was before is read from the records once. What comes later is handed on as it was written
/// down, so that a thousand streams read no more than one.
struct JobEventStream: Sendable {
    /// How many events are read at once.
    private static let pageCount = 500
    /// How often a line is sent that nobody reads, so that proxies see that the connection lives,
    /// and the service that the client is gone; and how late a clock that was set is noticed, in
    /// seconds.
    private static let heartbeatSeconds = 15.0

    private enum News: Sendable {
        case update(JobSignals.Update), silence, shutdown
    }

    let job: String
    /// The last event that the client has.
    let after: Int64
    /// When the caller's token expires; nil for never.
    let expiresAt: Date?
    /// The time.
    let now: @Sendable () -> Date
    let state: StateStore
    let signals: JobSignals

    /// Whether the job has ended and the client has all of it: then there is nothing to follow.
    ///
    /// - Throws: `StateError`.
    func isOver() async throws -> Bool {
        guard try await state.job(job)?.status.isTerminal != false else { return false }
        return try await state.events(jobID: job, after: after, limit: 1).isEmpty
    }

    /// Writes them.
    ///
    /// The shutdown is a handler here: `cancelOnGracefulShutdown()`, which merges sequences, keeps
    /// a lock while its task is suspended, and with a task executor that can wait for the lock of
    /// a task that is being cancelled, which waits for the first: nothing was answered any more.
    func write(to writer: BodyWriter) async throws {
        // As many as the signals keep, and one of each other kind.
        let (news, input) = AsyncStream.makeStream(
            of: News.self, bufferingPolicy: .bufferingNewest(64))
        try await withGracefulShutdownHandler {
            try await write(news, input, to: writer)
        } onGracefulShutdown: {
            input.yield(.shutdown)
            input.finish()
        }
    }

    private func write(
        _ news: AsyncStream<News>, _ input: AsyncStream<News>.Continuation, to writer: BodyWriter
    ) async throws {
        let updates = signals.updates(of: job)
        try await writer.write("retry: 2000\n\n")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await update in updates { input.yield(.update(update)) }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(secondsOfSilence))
                    input.yield(.silence)
                }
            }
            defer { group.cancelAll() }
            var last = after
            guard try await !writeKnown(behind: &last, to: writer) else { return }
            for await item in news {
                guard !isExpired else {
                    return try await writer.write(
                        Self.closing(
                            "token_expired", "the token has expired; get a new one and resume"))
                }
                switch item {
                case .update(let update):
                    guard try await !write(update, behind: &last, to: writer) else { return }
                case .silence: try await writer.write(": \n\n")
                case .shutdown:
                    try await writer.write(
                        Self.closing("shutting_down", "the service is shutting down"))
                }
            }
        }
    }

    private var isExpired: Bool { expiresAt.map { $0 <= now() } ?? false }

    /// How long to wait before something is written all the same.
    private var secondsOfSilence: Double {
        let left = expiresAt?.timeIntervalSince(now()) ?? Self.heartbeatSeconds
        return min(max(left, 0.01), Self.heartbeatSeconds)
    }

    /// Writes what has just happened, and what was missed before it.
    ///
    /// - Returns: whether the job has ended.
    private func write(
        _ update: JobSignals.Update, behind last: inout Int64, to writer: BodyWriter
    ) async throws -> Bool {
        guard let written = update.event, written.event.id > last else { return update.isLast }
        guard written.previousID <= last else {
            return try await writeKnown(behind: &last, to: writer)
        }
        let event = written.event
        try await writer.write(Self.text(event))
        last = event.id
        return update.isLast
    }

    /// Writes the events of the records that the client does not have yet.
    ///
    /// - Returns: whether the job has ended, so that there will be no more.
    private func writeKnown(
        behind last: inout Int64, to writer: BodyWriter
    ) async throws -> Bool {
        // Before the events, so that none of a job that ends meanwhile is missed.
        let isFinished = try await state.job(job)?.status.isTerminal != false
        var count = Self.pageCount
        while count == Self.pageCount {
            let events = try await state.events(jobID: job, after: last, limit: Self.pageCount)
            for event in events {
                try await writer.write(Self.text(event))
                last = event.id
            }
            count = events.count
        }
        return isFinished
    }

    private static func text(_ event: JobEvent) -> String {
        "id: \(event.id)\nevent: \(event.type)\ndata: \(event.data)\n\n"
    }

    /// The last event of a stream that ends before its job. Without an id: a client resumes behind
    /// the last one that it has.
    private static func closing(_ code: String, _ message: String) -> String {
        let data = JSONValue.object(["code": .string(code), "message": .string(message)]).text
        return "event: closed\ndata: \(data)\n\n"
    }
}
