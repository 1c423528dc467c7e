public import ServiceState
internal import Synchronization

/// Tells those who follow a job what happens to it. Each event is read from nowhere: it is handed
/// on as it was written down, so that very many may follow.
public final class JobSignals: Sendable {
    /// Something that has happened to a job.
    public struct Update: Sendable {
        /// What, as it was written down; nil when that was not worth an event.
        /// A follower that has not seen the one before it has missed some, or hears of this one
        /// earlier than of those: tasks that write events do not wait for each other. It reads them
        /// from the records.
        public var event: WrittenJobEvent?
        /// Whether the job has ended, so that nothing follows.
        public var isLast: Bool
    }

    /// Updates that are kept for a follower who is slow; of more, the newest.
    private static let keptCountMax = 64

    private struct State {
        var nextNumber = 0
        var followers: [String: [Int: AsyncStream<Update>.Continuation]] = [:]
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

    /// Something has happened, and was written down. Called for each event of a job, in any order.
    func notify(_ job: String, _ event: WrittenJobEvent?, isLast: Bool = false) {
        let followers = state.withLock { $0.followers[job].map { Array($0.values) } ?? [] }
        let update = Update(event: event, isLast: isLast)
        for follower in followers { follower.yield(update) }
    }

    private func forget(_ job: String, _ number: Int) {
        state.withLock { state in
            state.followers[job]?[number] = nil
            if state.followers[job]?.isEmpty == true { state.followers[job] = nil }
        }
    }
}
