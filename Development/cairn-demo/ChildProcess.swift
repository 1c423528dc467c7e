import BlockingCalls
import Glibc
import Synchronization

/// A program that runs on our terminal until it ends.
enum ChildProcess {
    private static let waiter = Waiter()

    /// Starts a program with our standard streams and waits for it. When the task is cancelled, the
    /// program is told to end, and waited for.
    ///
    /// - Parameter arguments: the path of the program first.
    /// - Returns: the exit code, or 128 and the number of the signal that ended it.
    static func run(_ arguments: [String]) async throws -> CInt {
        let child = RunningChild(try spawn(arguments))
        return await withTaskCancellationHandler {
            await waiter.wait(for: child)
        } onCancel: {
            child.interrupt()
        }
    }

    private static func spawn(_ arguments: [String]) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A child must not begin with what the threads of dispatch queues block, nor with what we
        // ignore: it would be deaf to Ctrl-C.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var ours = sigset_t()
        sigemptyset(&ours)
        for number in [SIGINT, SIGTERM] { sigaddset(&ours, number) }
        posix_spawnattr_setsigdefault(&attributes, &ours)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, arguments[0], nil, &attributes, &pointers, environ)
        guard status == 0 else {
            throw DemoError(
                "\(arguments[0]) can't be started: \(String(cString: strerror(status)))")
        }
        return process
    }

    /// Waiting blocks, so it has a thread of its own.
    private actor Waiter {
        private let executor = SerialThreadExecutor(label: "cairn.child-process")

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            executor.asUnownedSerialExecutor()
        }

        func wait(for child: RunningChild) -> CInt { child.wait() }
    }
}

/// A process of ours that has not been reaped yet.
private final class RunningChild: Sendable {
    /// Nil once it is reaped, when the number may be another process's.
    private let process: Mutex<pid_t?>

    init(_ process: pid_t) {
        self.process = Mutex(process)
    }

    /// Sends SIGINT unless it has ended.
    func interrupt() {
        process.withLock { if let process = $0 { _ = kill(process, SIGINT) } }
    }

    /// Waits for the end; to be called once.
    func wait() -> CInt {
        guard let number = process.withLock({ $0 }) else { return 0 }
        var information = siginfo_t()
        // Only waits: reaped is under the lock, so that no signal goes to somebody else.
        while waitid(P_PID, id_t(number), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        return process.withLock { process in
            var status: CInt = 0
            waitpid(number, &status, 0)
            process = nil
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        }
    }
}
