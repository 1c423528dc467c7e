import CMongoC
import Glibc
import Synchronization

/// What libmongoc says of its own accord. Nothing of it is written anywhere: all that matters comes
/// back as errors, but for why a file can't be used or an option was dropped, which it only logs.
enum DriverLog {
    private struct State {
        /// By thread: the library logs on the thread that called it.
        var complaints: [UInt: [String]] = [:]
    }

    private static let state = Mutex(State())

    /// Has the library log to here.
    static func install() {
        mongoc_log_set_handler(
            { level, _, message, _ in
                guard level.rawValue <= MONGOC_LOG_LEVEL_WARNING.rawValue, let message else {
                    return
                }
                DriverLog.note(String(cString: message))
            }, nil)
    }

    /// Calls `body` and returns, beside its result, the errors and warnings that it caused.
    static func capture<Result>(_ body: () throws -> Result) rethrows -> (Result, [String]) {
        let thread = UInt(pthread_self())
        state.withLock { $0.complaints[thread] = [] }
        do {
            let result = try body()
            let complaints = state.withLock { $0.complaints.removeValue(forKey: thread) }
            return (result, complaints ?? [])
        } catch {
            _ = state.withLock { $0.complaints.removeValue(forKey: thread) }
            throw error
        }
    }

    private static func note(_ message: String) {
        let thread = UInt(pthread_self())
        state.withLock { state in
            guard state.complaints[thread] != nil else { return }
            state.complaints[thread]?.append(
                String(message.split(whereSeparator: \.isNewline).joined(separator: " ")))
        }
    }
}
