internal import Dispatch
internal import Glibc

/// What came of a body that signals may cancel.
enum Interruptible<Result: Sendable>: Sendable {
    case finished(Result)
    /// A signal cancelled it, and it has cleaned up.
    case cancelled
}

/// Runs `body` in a child task and cancels it at the first SIGINT or SIGTERM. At the second one the
/// process ends at once. A body that finishes all the same has finished.
///
/// - Parameters:
///   - cancelling: called at the first signal, from any thread.
///   - stopping: called before the process ends at the second one.
/// - Throws: what `body` throws without having been cancelled.
func withSignals<Result: Sendable>(
    cancelling: @escaping @Sendable () -> Void, stopping: @escaping @Sendable () -> Void,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Interruptible<Result> {
    let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
    let sources = [SIGINT, SIGTERM].map { number in
        // Else the signal's default action ends the process before the source hears of it.
        signal(number, SIG_IGN)
        return DispatchSource.makeSignalSource(signal: number, queue: signalQueue)
    }
    let count = SignalCount()
    for source in sources {
        source.setEventHandler {
            if count.isFirst() {
                cancelling()
                continuation.yield()
            } else {
                stopping()
                _exit(ProgramStatus.cancelled.rawValue)
            }
        }
        source.activate()
    }
    defer { for source in sources { source.cancel() } }
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in signals { break }
            return nil
        }
        let first = try await group.next() ?? nil
        group.cancelAll()
        if let first { return .finished(first) }
        do {
            return (try await group.next() ?? nil).map { .finished($0) } ?? .cancelled
        } catch {
            // Whatever it is, it came of the cancellation: a cursor that was closed, for one.
            return .cancelled
        }
    }
}

/// Handlers run here, one at a time.
private let signalQueue = DispatchQueue(label: "cairn.signals")

/// How many signals came. Unchecked: used on `signalQueue` only.
private final class SignalCount: @unchecked Sendable {
    private var count = 0

    func isFirst() -> Bool {
        count += 1
        return count == 1
    }
}
