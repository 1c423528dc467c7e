internal import Operations
internal import ServiceLifecycle
internal import ServiceState

/// A job's events as `text/event-stream`: those there are, then new ones as they come, until the
/// job has ended, the client is gone or the service is shut down.
struct JobEventStream: Sendable {
    /// How many events are read at once.
    private static let pageCount = 500
    /// How often a line is sent that nobody reads, so that proxies see that the connection lives,
    /// and the service that the client is gone.
    private static let heartbeatInterval = Duration.seconds(15)

    private enum News: Sendable {
        case changed, silent
    }

    let job: String
    /// The last event that the client has.
    let after: Int64
    let state: StateStore
    let signals: JobSignals

    /// Writes them.
    ///
    /// The shutdown is a handler here: `cancelOnGracefulShutdown()`, which merges sequences, keeps
    /// a lock while its task is suspended, and with a task executor that can wait for the lock of
    /// a task that is being cancelled, which waits for the first: nothing was answered any more.
    func write(to writer: BodyWriter) async throws {
        let (news, input) = AsyncStream.makeStream(
            of: News.self, bufferingPolicy: .bufferingNewest(1))
        try await withGracefulShutdownHandler {
            try await write(news, input, to: writer)
        } onGracefulShutdown: {
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
                for await _ in updates { input.yield(.changed) }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.heartbeatInterval)
                    input.yield(.silent)
                }
            }
            defer { group.cancelAll() }
            var last = after
            guard try await !writeNew(behind: &last, to: writer) else { return }
            for await item in news {
                switch item {
                case .changed:
                    guard try await !writeNew(behind: &last, to: writer) else { return }
                case .silent: try await writer.write(": \n\n")
                }
            }
        }
    }

    /// Writes the events that the client does not have yet.
    ///
    /// - Returns: whether the job has ended, so that there will be no more.
    private func writeNew(
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
}
