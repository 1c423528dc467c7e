public import ServiceState
internal import Synchronization

/// Tells those who follow a job what happens to it. Each event is read from nowhere: it is handed
/// on as it was written down, so that very many may follow.
public final class JobSignals: Sendable {
    /// Something that has happened to a job.
    public struct Update: Sendable {
        /// What, as it was written down; nil when that was not worth an event.
        public var event: JobEvent?
        /// The job's event before it; nil when that is not known here. A follower that has not seen
        /// it has missed some, and reads them from the records.
        public var previousID: Int64?
        /// Whether the job has ended, so that nothing follows.
        public var isLast: Bool
    }

    /// Updates that are kept for a follower who is slow; of more, the newest.
    private static let keptCountMax = 64

    private struct State {
        var nextNumber = 0
        var followers: [String: [Int: AsyncStream<Update>.Continuation]] = [:]
        /// The last event of each job that goes on and has had one.
        var lastIDs: [String: Int64] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// A sequence that yields each update of the job from now on, and ends with the task that reads
    /// it.
    public func updates(of job: String) -> AsyncStream<Update> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Update.self, bufferingPolicy: .bufferingNewest(Self.keptCountMax))
        let number = state.withLock { state in
            state.nextNumber += 1
            state.followers[job, default: [:]][state.nextNumber] = continuation
            return state.nextNumber
        }
        continuation.onTermination = { [weak self] _ in self?.forget(job, number) }
        return stream
    }

    /// Something has happened, and was written down. Called for each event of a job in their order.
    func notify(_ job: String, _ event: JobEvent?, isLast: Bool = false) {
        let (followers, previous) = state.withLock { state in
            let previous = state.lastIDs[job]
            state.lastIDs[job] = isLast ? nil : event?.id ?? previous
            return (state.followers[job].map { Array($0.values) } ?? [], previous)
        }
        let update = Update(event: event, previousID: previous, isLast: isLast)
        for follower in followers { follower.yield(update) }
    }

    private func forget(_ job: String, _ number: Int) {
        state.withLock { state in
            state.followers[job]?[number] = nil
            if state.followers[job]?.isEmpty == true { state.followers[job] = nil }
        }
    }
}
