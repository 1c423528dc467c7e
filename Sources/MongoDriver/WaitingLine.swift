import Synchronization

/// Hands out a bounded number of things, first come, first served. Who waits holds no thread and
/// leaves the line when cancelled.
final class WaitingLine<Element: Sendable>: Sendable {
    private typealias Waiter = (
        ticket: UInt64, continuation: CheckedContinuation<Element, any Error>
    )

    private struct State {
        var idle: [Element] = []
        /// Things that exist: idle or out.
        var count = 0
        var waiters: [Waiter] = []
        var nextTicket: UInt64 = 0
        var isClosed = false
    }

    private let countMax: Int
    private let make: @Sendable () throws -> Element
    private let state = Mutex(State())

    /// - Parameters:
    ///   - countMax: how many things there may be.
    ///   - make: makes one when none is idle; quick, called under a lock.
    init(countMax: Int, make: @escaping @Sendable () throws -> Element) {
        precondition(countMax > 0, "a line for nothing never moves")
        self.countMax = countMax
        self.make = make
    }

    /// How many there are, idle or out, how many of them are idle, and how many wait.
    var counts: (all: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.count, $0.idle.count, $0.waiters.count) }
    }

    /// How many wait.
    var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// Takes a thing, after all who came before.
    ///
    /// - Throws: `CancellationError`, `poolClosed`, or what `make` throws.
    func take() async throws -> Element {
        try Task.checkCancellation()
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(continuation, ticket)
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.ticket == ticket }.map {
                    state.waiters.remove(at: $0)
                }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Gives a thing back: to who waits longest, else to the idle ones.
    func giveBack(_ element: Element) {
        let waiter: Waiter? = state.withLock { state in
            guard !state.isClosed else { return nil }
            guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
            state.idle.append(element)
            return nil
        }
        waiter?.continuation.resume(returning: element)
    }

    /// Drops what is idle and turns away who waits and who comes later. What is out stays usable.
    func close() {
        let (waiters, idle) = state.withLock { state in
            defer { (state.waiters, state.idle, state.isClosed) = ([], [], true) }
            return (state.waiters, state.idle)
        }
        waiters.forEach { $0.continuation.resume(throwing: Self.closed) }
        // Freed here, outside the lock.
        _ = idle
    }

    private static var closed: MongoError { MongoError(.poolClosed, "the pool is closed") }

    private func enqueue(_ continuation: CheckedContinuation<Element, any Error>, _ ticket: UInt64)
    {
        let outcome: Result<Element, any Error>? = state.withLock { state in
            guard !state.isClosed else { return .failure(Self.closed) }
            // The handler of a cancellation before this point found nobody to turn away.
            guard !Task.isCancelled else { return .failure(CancellationError()) }
            if let element = state.idle.popLast() { return .success(element) }
            guard state.count == countMax else {
                return Result {
                    let element = try make()
                    state.count += 1
                    return element
                }
            }
            state.waiters.append((ticket, continuation))
            return nil
        }
        if let outcome { continuation.resume(with: outcome) }
    }
}
