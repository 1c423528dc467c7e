internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The threads that connections are served and requests answered on, apart from those that jobs
/// run on and with less claim to the processors: while a job is being done they have a lower
/// priority and a share only, so that a backup goes on nearly as if it were alone, and answers take
/// longer.
///
/// A request stays on the thread of its connection, so that none waits for another thread to wake.
final class RequestThreads: TaskExecutor {
    /// The event loops that they are.
    let group: MultiThreadedEventLoopGroup
    /// By their event loops.
    private let allowances: [ObjectIdentifier: ThreadAllowance]
    private let hasJobs: @Sendable () -> Bool

    /// - Parameters:
    ///   - count: how many threads.
    ///   - share: how much of its time each may use while there are jobs, from 0 to 1; 1 for all.
    ///   - hasJobs: whether jobs are being done; asked very often.
    ///   - niceness: how much nicer than the process they are, from 0 to 19; at 15 they have a
    ///     thirtieth of what others have who want all of the processors (sched(7), nice value).
    init(count: Int, niceness: Int, share: Double, hasJobs: @escaping @Sendable () -> Bool) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        let isLimiting = share < 1
        self.hasJobs = { isLimiting && hasJobs() }
        var allowances: [ObjectIdentifier: ThreadAllowance] = [:]
        for loop in group.makeIterator() {
            allowances[ObjectIdentifier(loop)] = ThreadAllowance(share: share)
            loop.execute { Self.lowerPriority(by: niceness) }
        }
        self.allowances = allowances
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let current = MultiThreadedEventLoopGroup.currentEventLoop
        let isOwn = current.map { allowances[ObjectIdentifier($0)] != nil } ?? false
        let loop = isOwn ? current ?? group.any() : group.any()
        let allowance = allowances[ObjectIdentifier(loop)]
        loop.execute {
            allowance?.keep(isLimited: self.hasJobs())
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
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
