internal import Synchronization

/// Tells those who wait for a job that there is something new of it. What it is, they read from the
/// records: a signal may stand for many changes, and a late one for none.
public final class JobSignals: Sendable {
    private struct State {
        var nextNumber = 0
        var waiting: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// A sequence that yields after each change of the job from now on, and ends with the task that
    /// reads it.
    public func updates(of job: String) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextNumber += 1
            state.waiting[job, default: [:]][state.nextNumber] = continuation
            return state.nextNumber
        }
        continuation.onTermination = { [weak self] _ in self?.forget(job, number) }
        return stream
    }

    /// There is something new.
    func notify(_ job: String) {
        let waiting = state.withLock { $0.waiting[job].map { Array($0.values) } ?? [] }
        for continuation in waiting { continuation.yield() }
    }

    private func forget(_ job: String, _ number: Int) {
        state.withLock { state in
            state.waiting[job]?[number] = nil
            if state.waiting[job]?.isEmpty == true { state.waiting[job] = nil }
        }
    }
}
