import Dispatch

/// Runs an actor's work on a thread of its own, one piece at a time, so that a C call that blocks
/// holds up nobody else. An actor takes it as its executor:
///
///     private let executor = SerialThreadExecutor(label: "connection")
///     nonisolated var unownedExecutor: UnownedSerialExecutor {
///         executor.asUnownedSerialExecutor()
///     }
///
/// A serial dispatch queue without a target gets a thread whenever it has work, however many others
/// are blocked.
public final class SerialThreadExecutor: SerialExecutor {
    private let queue: DispatchQueue

    /// - Parameter label: names the thread's queue in debuggers and profiles.
    public init(label: String) {
        queue = DispatchQueue(label: label)
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
