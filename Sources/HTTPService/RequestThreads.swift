internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The threads that connections are served and requests answered on, apart from those that jobs
/// run on and with less claim to the processors: where both want all of them, the backup goes on
/// nearly as if it were alone, and answers take longer.
///
/// A request stays on the thread of its connection, so that none waits for another thread to wake.
final class RequestThreads: TaskExecutor {
    /// The event loops that they are.
    let group: MultiThreadedEventLoopGroup
    private let loops: Set<ObjectIdentifier>

    /// - Parameters:
    ///   - count: how many threads.
    ///   - niceness: how much nicer than the process they are, from 0 to 19; at 15 they have a
    ///     thirtieth of what others have who want all of the processors (sched(7), nice value).
    init(count: Int, niceness: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        loops = Set(group.makeIterator().map { ObjectIdentifier($0) })
        for loop in group.makeIterator() {
            loop.execute { Self.lowerPriority(by: niceness) }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let loop = MultiThreadedEventLoopGroup.currentEventLoop ?? group.any()
        let own = loops.contains(ObjectIdentifier(loop)) ? loop : group.any()
        own.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Ends them once nothing is to be done on them any more.
    func end() async throws {
        try await group.shutdownGracefully()
    }

    /// Of the calling thread: on Linux the nice value is a thread's own, and 0 names the caller.
    private static func lowerPriority(by niceness: Int) {
        let which = __priority_which_t(PRIO_PROCESS.rawValue)
        let niceness = min(getpriority(which, 0) + Int32(niceness), 19)
        // Can't fail: making oneself nicer is anyone's right.
        _ = setpriority(which, 0, niceness)
    }
}
