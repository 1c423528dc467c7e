internal import BlockingCalls
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The threads that connections are served and requests answered on, apart from those that jobs
/// run on and with a lower priority. How much of them requests may take while jobs are done is
/// `AnswerGate`'s to say; nothing here ever sleeps.
///
/// A request stays on the thread of its connection, so that none waits for another thread to wake.
final class RequestThreads: TaskExecutor {
    /// The event loops that they are.
    let group: MultiThreadedEventLoopGroup
    /// How many.
    let count: Int
    private let loops: Set<ObjectIdentifier>
    /// By which the system tells what each has taken of a processor.
    private let clocks: ThreadClocks

    /// - Parameters:
    ///   - count: how many threads.
    ///   - niceness: how much nicer than the process they are, from 0 to 19; at 15 they have a
    ///     thirtieth of what others have who want all of the processors (sched(7), nice value).
    init(count: Int, niceness: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        self.count = count
        let clocks = ThreadClocks()
        self.clocks = clocks
        var loops: Set<ObjectIdentifier> = []
        for loop in group.makeIterator() {
            loops.insert(ObjectIdentifier(loop))
            loop.execute {
                Self.lowerPriority(by: niceness)
                clocks.addCaller()
            }
        }
        self.loops = loops
    }

    /// What they have taken of a processor in all.
    var processorNanoseconds: Int64 { clocks.nanoseconds }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let current = MultiThreadedEventLoopGroup.currentEventLoop
        let isOwn = current.map { loops.contains(ObjectIdentifier($0)) } ?? false
        let loop = isOwn ? current ?? group.any() : group.any()
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Ends them once nothing is to be done on them any more.
    func end() async throws {
        clocks.forget()
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
