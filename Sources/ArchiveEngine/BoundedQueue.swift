import Synchronization

/// Lets a producer work ahead of its consumer by a stated number of elements and no more.
///
/// Both end together: an error of the producer is thrown by `next` after the elements before it;
/// when `consume` returns or throws, the producer is cancelled and waited for.
/// - Parameters:
///   - capacity: how many elements may wait, at least 1; of large ones fewer (`WeighedElement`).
///   - produce: runs in a child task and calls `send` for each element, from one task.
///   - consume: runs in the caller's task; `next` answers nil at the end.
public func withProducer<Element: Sendable, Result>(
    capacity: Int,
    produce:
        @escaping @Sendable (
            _ send: @escaping @Sendable (Element) async throws -> Void
        ) async throws -> Void,
    consume: (_ next: () async throws -> Element?) async throws -> Result
) async throws -> Result {
    precondition(capacity >= 1, "a queue holds at least one element")
    let queue = BoundedQueue<Element>(capacity: capacity)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            do {
                try await produce { try await queue.send($0) }
                queue.end(nil)
            } catch {
                queue.end(error)
            }
        }
        defer { group.cancelAll() }
        return try await consume { try await queue.next() }
    }
}

/// The elements between one producer and one consumer. `state` is protected by its mutex;
/// continuations are resumed outside of it.
private final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var heldByteCount = 0
        var end: Swift.Result<Void, any Error>?
        var isCancelled = false
        var producer: CheckedContinuation<Void, Never>?
        var consumer: CheckedContinuation<Void, Never>?

        func isFull(_ capacity: Int) -> Bool {
            elements.count >= capacity
                || heldByteCount >= WeighedElements.queueByteCountMax(elementCount: capacity)
        }

        mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
            defer { (producer, consumer) = (nil, nil) }
            return [producer, consumer].compactMap(\.self)
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    func send(_ element: Element) async throws {
        while true {
            let isSent = try change { state in
                if state.isCancelled { throw CancellationError() }
                guard !state.isFull(capacity) else { return false }
                state.elements.append(element)
                state.heldByteCount += WeighedElements.heldByteCount(element)
                return true
            }
            if isSent { return }
            await wait(\.producer) { $0.isFull(self.capacity) }
        }
    }

    func next() async throws -> Element? {
        while true {
            try Task.checkCancellation()
            let step: Swift.Result<Element?, any Error>? = change { state in
                if !state.elements.isEmpty {
                    let element = state.elements.removeFirst()
                    state.heldByteCount -= WeighedElements.heldByteCount(element)
                    return .success(element)
                }
                return state.end.map { end in end.map { nil } }
            }
            if let step { return try step.get() }
            await wait(\.consumer) { $0.elements.isEmpty && $0.end == nil }
        }
    }

    func end(_ error: (any Error)?) {
        change { $0.end = error.map { .failure($0) } ?? .success(()) }
    }

    /// Changes the state and wakes both sides, who look again.
    private func change<Outcome>(
        _ body: (inout State) throws -> Outcome
    ) rethrows -> Outcome {
        var waiting: [CheckedContinuation<Void, Never>] = []
        defer { waiting.forEach { $0.resume() } }
        return try state.withLock { state in
            let outcome = try body(&state)
            waiting = state.takeWaiting()
            return outcome
        }
    }

    /// Sleeps until the next change or until the task is cancelled, unless `condition` has ceased
    /// already.
    private func wait(
        _ place: any WritableKeyPath<State, CheckedContinuation<Void, Never>?> & Sendable,
        while condition: @Sendable (State) -> Bool
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard condition(state), !state.isCancelled, !Task.isCancelled else {
                        return false
                    }
                    state[keyPath: place] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            change { $0.isCancelled = true }
        }
    }
}
